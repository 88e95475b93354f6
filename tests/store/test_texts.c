/* What is read from outside: listings and errors of S3, the files of the AWS tools, locations. */
#include "store/ini.h"
#include "store/s3_xml.h"
#include "store/uri.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static const char page_xml[] =
    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">"
    "<Name>b</Name><Prefix>p</Prefix><IsTruncated>true</IsTruncated><NextContinuationToken>1/a+b=</"
    "NextContinuationToken>"
    "<Contents><Key>p/a+b%2B%C3%A4%0A.jpg</Key><LastModified>2026-01-01T00:00:00.000Z</LastModified>"
    "<ETag>&quot;e1&quot;</ETag><Size>5736</Size><Owner><ID>Key</ID></Owner></Contents>"
    "<Contents><Key>p/n%00l</Key><LastModified>2026-01-02</LastModified><ETag></ETag><Size>18446744073709551615</"
    "Size></Contents>"
    "<CommonPrefixes><Prefix>p/c+d/</Prefix></CommonPrefixes><EncodingType>url</EncodingType></ListBucketResult>";

static void a_page_of_a_listing(void **state) {
    (void)state;
    struct pom_page page = {0};
    assert_int_equal(pom_s3_page_parse(page_xml, sizeof page_xml - 1, &page, NULL), POM_OK);
    assert_int_equal(page.n_objects, 2);
    assert_string_equal(page.objects[0].key, "p/a b+\xc3\xa4\n.jpg");
    assert_string_equal(page.objects[0].version, "\"e1\"");
    assert_int_equal(page.objects[0].size, 5736);
    assert_null(page.objects[1].key); /* no path can hold it */
    assert_string_equal(page.objects[1].version, "2026-01-02");
    assert_true(page.objects[1].size == UINT64_MAX);
    assert_int_equal(page.n_prefixes, 1);
    assert_string_equal(page.prefixes[0], "p/c d/");
    assert_string_equal(page.next, "1/a+b=");
    pom_page_clean_up(&page);
}

/* Whatever is missing or cut off: none is taken for a page, least of all for the last one. */
static void what_is_no_page_is_refused(void **state) {
    (void)state;
    static const char *const bad[] = {"", "<html/>", "<Error><Code>SlowDown</Code></Error>",
        "<ListBucketResult><IsTruncated>true</IsTruncated></ListBucketResult>",
        "<ListBucketResult><Contents><Key>a</Key></Contents></ListBucketResult>",
        "<ListBucketResult><Contents><Size>1</Size></Contents></ListBucketResult>",
        "<ListBucketResult><Contents><Key></Key><Size>1</Size></Contents></ListBucketResult>",
        "<ListBucketResult><Contents><Key>a</Key><Size>-1</Size></Contents></ListBucketResult>",
        "<ListBucketResult><Contents><Key>a</Key><Size>99999999999999999999</Size></Contents></ListBucketResult>",
        "<ListBucketResult/><ListBucketResult/>", "<ListBucketResult>&unknown;</ListBucketResult>"};
    struct pom_page page = {0};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (pom_s3_page_parse(bad[i], strlen(bad[i]), &page, NULL) != POM_ERR_FORMAT)
            fail_msg("taken for a page: %s", bad[i]);
    for (size_t n = 0; n < sizeof page_xml - 1; n++)
        assert_int_equal(pom_s3_page_parse(page_xml, n, &page, NULL), POM_ERR_FORMAT);
}

static void errors_and_single_texts(void **state) {
    (void)state;
    static const char xml[] =
        "<Error><Code>AuthorizationHeaderMalformed</Code><Message>m</Message><Region>eu-west-1</Region></Error>";
    struct pom_s3_error error;
    char value[8];
    assert_true(pom_s3_error_parse(xml, sizeof xml - 1, &error));
    assert_string_equal(error.code, "AuthorizationHeaderMalformed");
    assert_string_equal(error.region, "eu-west-1");
    assert_false(pom_s3_error_parse("garbage", 7, &error));
    assert_string_equal(error.code, "");
    static const char upload[] = "<R><UploadId>0123456789</UploadId></R>";
    assert_true(pom_xml_text(upload, sizeof upload - 1, "R", "R", "UploadId", value, sizeof value));
    assert_string_equal(value, "0123456"); /* cut to its size */
    assert_false(pom_xml_text(upload, sizeof upload - 1, "Q", "R", "UploadId", value, sizeof value));
}

static void files_of_the_aws_tools(void **state) {
    (void)state;
    static const char text[] =
        "key=before any section\n[default]\r\n# comment\n region = eu-west-1 \r\nempty=\ns3 =\n  addressing_style = "
        "path\n"
        "  max = 1\nother=a#b # c\n[ profile x ]\naws_secret_access_key = a=b;c/+\nnonsense\n[broken\n=\n"
        "[default]\nregion=eu-west-2";
    struct pom_ini ini = {0};
    assert_int_equal(pom_ini_parse(&ini, text, sizeof text - 1, NULL), POM_OK);
    assert_string_equal(pom_ini_get(&ini, "default", "region"), "eu-west-2");
    assert_string_equal(pom_ini_get(&ini, "default", "s3.addressing_style"), "path");
    assert_string_equal(pom_ini_get(&ini, "default", "s3.max"), "1");
    assert_string_equal(pom_ini_get(&ini, "default", "other"), "a#b");
    assert_string_equal(pom_ini_get(&ini, "profile x", "aws_secret_access_key"), "a=b;c/+");
    assert_null(pom_ini_get(&ini, "default", "empty"));
    assert_null(pom_ini_get(&ini, "default", "key"));
    assert_true(pom_ini_has_section(&ini, "profile x"));
    assert_false(pom_ini_has_section(&ini, "broken"));
    pom_ini_clean_up(&ini);
    assert_int_equal(pom_ini_read(&ini, "/nowhere/at/all", NULL), POM_OK);
    assert_int_equal(ini.n, 0);
}

static void locations(void **state) {
    (void)state;
    struct pom_bucket_uri uri = {0};
    struct pom_buffer out = {0};
    assert_int_equal(pom_bucket_uri_parse("s3://my-b.1/a b//%20+?#/", &uri, NULL), POM_OK);
    assert_string_equal(uri.bucket, "my-b.1");
    assert_string_equal(uri.key, "a b//%20+?#/");
    assert_true(pom_uri_encode(&out, uri.key, "/"));
    assert_string_equal(out.data, "a%20b//%2520%2B%3F%23/");
    assert_true(pom_uri_decode(out.data, false));
    assert_string_equal(out.data, uri.key);
    pom_buffer_clean_up(&out);
    pom_bucket_uri_clean_up(&uri);
    static const char *const bad[] = {
        "s3://", "s3:///key", "s3://a_b@host/k", "s3://arn:aws:s3:eu-west-1:1:accesspoint/x", "s3://-a"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(pom_bucket_uri_parse(bad[i], &uri, NULL), POM_ERR_ARGUMENT);
    char text[] = "%4a%zz%2";
    assert_true(pom_uri_decode(text, true));
    assert_string_equal(text, "J%zz%2");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_page_of_a_listing),
        cmocka_unit_test(what_is_no_page_is_refused),
        cmocka_unit_test(errors_and_single_texts),
        cmocka_unit_test(files_of_the_aws_tools),
        cmocka_unit_test(locations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
