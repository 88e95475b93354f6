#include "pictures.h"

#include <stdint.h>
#include <stdio.h>
// jpeglib needs the one above
#include <jpeglib.h>
#include <stdlib.h>

enum { LEAST = 60, MOST = 100, STEP = 10 };

static void draw_line(uint8_t *line, uint32_t y, uint32_t seed) {
    for (uint32_t x = 0; x < MOST * 3; x++)
        line[x] = (uint8_t)(y * (seed % 7) + x * (seed % 5) + seed * 31 + (seed * x * y) % 50);
}

void picture_write(const char *path, int seed) {
    struct jpeg_compress_struct info;
    struct jpeg_error_mgr errors;
    uint8_t line[MOST * 3];
    FILE *file = fopen(path, "wb");
    if (!file)
        abort();
    info.err = jpeg_std_error(&errors);
    jpeg_create_compress(&info);
    jpeg_stdio_dest(&info, file);
    info.image_width = LEAST + STEP * (unsigned)(seed % 5);
    info.image_height = LEAST + STEP * (unsigned)(seed % 3);
    info.input_components = 3;
    info.in_color_space = JCS_RGB;
    jpeg_set_defaults(&info);
    jpeg_start_compress(&info, TRUE);
    for (uint32_t y = 0; y < info.image_height; y++) {
        draw_line(line, y, (uint32_t)seed);
        jpeg_write_scanlines(&info, (JSAMPARRAY) & (JSAMPROW){line}, 1);
    }
    jpeg_finish_compress(&info);
    jpeg_destroy_compress(&info);
    if (fclose(file) != 0)
        abort();
}
