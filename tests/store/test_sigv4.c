/* AWS Signature Version 4: the worked examples of the S3 documentation ("Signature Calculations for the Authorization
 * Header", docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html) and cases of the published
 * aws-sig-v4-test-suite (docs.aws.amazon.com/general/latest/gr/signature-v4-test-suite.html; botocore's source package
 * has them too). */
#include "store/sigv4.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const char empty[] = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

struct example {
    const char *name, *method, *path;
    struct pom_pair parameters[4];
    size_t n_parameters;
    struct pom_pair headers[8];
    size_t n_headers;
    const char *payload, *signature;
};

static void check(const struct pom_sigv4_scope *scope, const char *time, const struct example *example) {
    static struct pom_sigv4_cache cache; /* kept from one to the next, as in use */
    struct pom_buffer query = {0}, out = {0};
    assert_true(pom_sigv4_query(example->parameters, example->n_parameters, &query));
    const struct pom_sigv4_request request = {example->method, example->path, query.data, example->headers,
        example->n_headers, example->payload ? example->payload : empty};
    assert_int_equal(pom_sigv4_sign(&cache, scope, &request, time, &out, NULL), POM_OK);
    const char *signature = strstr(out.data, "Signature=");
    assert_non_null(signature);
    if (strcmp(signature + 10, example->signature) != 0)
        fail_msg("%s: %s, wanted %s", example->name, signature + 10, example->signature);
    pom_buffer_clean_up(&query);
    pom_buffer_clean_up(&out);
}

static void the_documentation_of_s3(void **state) {
    (void)state;
    const struct pom_sigv4_scope scope = {
        "AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "us-east-1", "s3"};
    static const char put[] = "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072";
    const struct pom_pair host = {"host", "examplebucket.s3.amazonaws.com"}, date = {"x-amz-date", "20130524T000000Z"};
    const struct pom_pair nothing = {"x-amz-content-sha256", empty};
    const struct example examples[] = {
        {"GET object", "GET", "/test.txt", {{0}}, 0, {host, {"range", "bytes=0-9"}, nothing, date}, 4, NULL,
            "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"},
        {"PUT object", "PUT", "/test%24file.text", {{0}}, 0,
            {{"date", "Fri, 24 May 2013 00:00:00 GMT"}, host, {"x-amz-content-sha256", put}, date,
                {"x-amz-storage-class", "REDUCED_REDUNDANCY"}},
            5, put, "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd"},
        {"GET bucket lifecycle", "GET", "/", {{"lifecycle", ""}}, 1, {host, nothing, date}, 3, NULL,
            "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"},
        {"GET bucket (list objects)", "GET", "/", {{"prefix", "J"}, {"max-keys", "2"}}, 2, {host, nothing, date}, 3,
            NULL, "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"},
    };
    for (size_t i = 0; i < sizeof examples / sizeof *examples; i++)
        check(&scope, "20130524T000000Z", &examples[i]);
}

static void the_test_suite(void **state) {
    (void)state;
    const struct pom_sigv4_scope scope = {
        "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "us-east-1", "service"};
    const struct pom_pair host = {"host", "example.amazonaws.com"}, date = {"x-amz-date", "20150830T123600Z"};
    const struct example examples[] = {
        {"get-vanilla", "GET", "/", {{0}}, 0, {host, date}, 2, NULL,
            "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
        {"get-vanilla-query-order-key-case", "GET", "/", {{"Param2", "value2"}, {"Param1", "value1"}}, 2, {host, date},
            2, NULL, "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"},
        {"get-utf8", "GET", "/%E1%88%B4", {{0}}, 0, {host, date}, 2, NULL,
            "8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85"},
        {"post-vanilla", "POST", "/", {{0}}, 0, {host, date}, 2, NULL,
            "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"},
    };
    for (size_t i = 0; i < sizeof examples / sizeof *examples; i++)
        check(&scope, "20150830T123600Z", &examples[i]);
}

/* By encoded name, then value; a name that begins another comes first, whatever stands behind it. */
static void queries_are_sorted_and_encoded(void **state) {
    (void)state;
    const struct pom_pair parameters[] = {
        {"prefix", "a b/+%\xc3\xa4"}, {"a", "z"}, {"a", "b"}, {"a-b", ""}, {"A", "~"}};
    struct pom_buffer query = {0};
    assert_true(pom_sigv4_query(parameters, 5, &query));
    assert_string_equal(query.data, "A=~&a=b&a=z&a-b=&prefix=a%20b%2F%2B%25%C3%A4");
    pom_buffer_clean_up(&query);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_documentation_of_s3),
        cmocka_unit_test(the_test_suite),
        cmocka_unit_test(queries_are_sorted_and_encoded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
