#include "pictures.h"

#include <stdint.h>
#include <stdio.h>
// jpeglib needs the one above
#include <jpeglib.h>
#include <stdlib.h>

enum { SIDE = 100 };

static void draw_line(uint8_t *line, int y, uint32_t seed) {
    for (uint32_t x = 0; x < SIDE * 3; x++)
        line[x] = (uint8_t)((uint32_t)y * (seed % 7) + x * (seed % 5) + seed * 31 + (seed * x * (uint32_t)y) % 50);
}

void picture_write(const char *path, int seed) {
    struct jpeg_compress_struct info;
    struct jpeg_error_mgr errors;
    uint8_t line[SIDE * 3];
    FILE *file = fopen(path, "wb");
    if (!file)
        abort();
    info.err = jpeg_std_error(&errors);
    jpeg_create_compress(&info);
    jpeg_stdio_dest(&info, file);
    info.image_width = info.image_height = SIDE;
    info.input_components = 3;
    info.in_color_space = JCS_RGB;
    jpeg_set_defaults(&info);
    jpeg_start_compress(&info, TRUE);
    for (int y = 0; y < SIDE; y++) {
        draw_line(line, y, (uint32_t)seed);
        jpeg_write_scanlines(&info, (JSAMPARRAY) & (JSAMPROW){line}, 1);
    }
    jpeg_finish_compress(&info);
    jpeg_destroy_compress(&info);
    if (fclose(file) != 0)
        abort();
}
