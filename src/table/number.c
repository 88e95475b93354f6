#include "table/number.h"

#include <float.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A decimal number: digits * 10^exponent. */
struct decimal {
    uint64_t digits;
    int exponent;
};

enum { FLOAT_DIGITS = 9, DOUBLE_DIGITS = 17 }; /* enough for any value of the type */

/* The powers of ten that a double holds exactly. */
static const double powers[] = {1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
    1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
enum { MAX_POWER = sizeof powers / sizeof *powers - 1 };

static double scale(double value, int exponent) {
    return exponent >= 0 ? value * powers[exponent] : value / powers[-exponent];
}

/* Whether a correct reader makes value of the decimal. Digits and power are exact in a double, so their quotient is
 * rounded once; rounding that to float is a second time, which errs only from the middle between two floats: such a
 * decimal is refused. */
static bool reads_back(struct decimal decimal, float value) {
    double back = scale((double)decimal.digits, decimal.exponent);
    uint64_t bits;
    memcpy(&bits, &back, sizeof bits);
    const uint64_t below_float = (UINT64_C(1) << 29) - 1, middle = UINT64_C(1) << 28;
    return (float)back == value && (bits & below_float) != middle;
}

/* The shortest decimal of a positive float whose powers of ten are exact; false when no candidate passes. Any decimal
 * of FLT_DIG digits survives in a (normal) float, so a shorter one is found there too, with zeros behind. */
static bool short_decimal(float value, struct decimal *out) {
    int exponent = (int)floor(log10((double)value)); /* of the first digit */
    for (int digits = FLT_DIG; digits <= FLOAT_DIGITS; digits++) {
        out->exponent = exponent - digits + 1;
        if (out->exponent < -MAX_POWER || out->exponent > MAX_POWER)
            return false;
        out->digits = (uint64_t)(scale((double)value, -out->exponent) + 0.5);
        if (reads_back(*out, value))
            return true;
    }
    return false;
}

static size_t put_digits(uint64_t digits, char *out) {
    char reversed[20];
    size_t n = 0;
    do
        reversed[n++] = (char)('0' + digits % 10);
    while ((digits /= 10) != 0);
    for (size_t i = 0; i < n; i++)
        out[i] = reversed[n - 1 - i];
    return n;
}

/* Writes positional notation from 0.0001 to 9 digits before the point, and scientific beyond. */
static size_t put_decimal(struct decimal decimal, char *out) {
    while (decimal.digits % 10 == 0) {
        decimal.digits /= 10;
        decimal.exponent++;
    }
    char digits[20];
    int n = (int)put_digits(decimal.digits, digits), point = n + decimal.exponent;
    digits[n] = '\0';
    if (point > FLOAT_DIGITS || point < -3)
        return (size_t)sprintf(out, "%c%s%se%d", digits[0], n > 1 ? "." : "", digits + 1, point - 1);
    size_t at = 0;
    if (point <= 0) {
        out[at++] = '0';
        out[at++] = '.';
        for (int i = point; i < 0; i++)
            out[at++] = '0';
        for (int i = 0; i < n; i++)
            out[at++] = digits[i];
        return at;
    }
    for (int i = 0; i < n || i < point; i++) {
        if (i == point)
            out[at++] = '.';
        out[at++] = i < n ? digits[i] : '0';
    }
    return at;
}

/* The digits and the exponent of what printf's %e made, whatever the locale's decimal point. */
static struct decimal parse_scientific(const char *text, int digits) {
    struct decimal out = {0};
    for (; *text != 'e'; text++)
        if (*text >= '0' && *text <= '9')
            out.digits = out.digits * 10 + (uint64_t)(*text - '0');
    out.exponent = (int)strtol(text + 1, NULL, 10) - digits + 1;
    return out;
}

/* The shortest decimal of any positive value, by the C library's correct but slow conversions. */
static struct decimal exact_decimal(double value, bool as_float) {
    const int most = as_float ? FLOAT_DIGITS : DOUBLE_DIGITS;
    const bool normal = value >= (as_float ? (double)FLT_MIN : DBL_MIN);
    for (int digits = !normal ? 1 : as_float ? FLT_DIG : DBL_DIG;; digits++) {
        char text[POM_NUMBER_TEXT];
        snprintf(text, sizeof text, "%.*e", digits - 1, value);
        if (digits == most || (as_float ? strtof(text, NULL) == (float)value : strtod(text, NULL) == value))
            return parse_scientific(text, digits);
    }
}

/* Zero and the sign, the same for both types: true when the value is done. A bare -0 would be read as the integer 0. */
static bool put_sign(double value, char *out, size_t *n) {
    *n = 0;
    if (signbit(value))
        out[(*n)++] = '-';
    if (value != 0)
        return false;
    *n = (size_t)sprintf(out, "%s", signbit(value) ? "-0.0" : "0");
    return true;
}

size_t pom_float_text(float value, char out[POM_NUMBER_TEXT]) {
    size_t n;
    struct decimal decimal;
    if (!put_sign((double)value, out, &n)) {
        float size = fabsf(value);
        if (!short_decimal(size, &decimal))
            decimal = exact_decimal((double)size, true);
        n += put_decimal(decimal, out + n);
    }
    out[n] = '\0';
    return n;
}

size_t pom_double_text(double value, char out[POM_NUMBER_TEXT]) {
    size_t n;
    if (!put_sign(value, out, &n))
        n += put_decimal(exact_decimal(fabs(value), false), out + n);
    out[n] = '\0';
    return n;
}
