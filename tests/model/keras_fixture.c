#include "keras_fixture.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void fixture_start(struct keras_fixture *fixture, const char *path) {
    *fixture = (struct keras_fixture){.file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT)};
}

static void write_names(hid_t group, const char *attribute, const char *names, hsize_t n, size_t width) {
    hid_t type = H5Tcopy(H5T_C_S1), space = H5Screate_simple(1, &n, NULL);
    H5Tset_size(type, width);
    hid_t made = H5Acreate2(group, attribute, type, space, H5P_DEFAULT, H5P_DEFAULT);
    H5Awrite(made, type, names);
    H5Aclose(made);
    H5Sclose(space);
    H5Tclose(type);
}

static void write_array(hid_t group, const char *name, int rank, const hsize_t *dims, float seed) {
    hid_t space = H5Screate_simple(rank, dims, NULL), links = H5Pcreate(H5P_LINK_CREATE);
    size_t n = (size_t)H5Sget_simple_extent_npoints(space);
    float *values = malloc(n * sizeof *values);
    for (size_t i = 0; i < n; i++)
        values[i] = seed + (float)(i % 1000) * 1e-4F;
    H5Pset_create_intermediate_group(links, 1);
    hid_t set = H5Dcreate2(group, name, H5T_IEEE_F32LE, space, links, H5P_DEFAULT, H5P_DEFAULT);
    H5Dwrite(set, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, values);
    H5Dclose(set);
    H5Pclose(links);
    H5Sclose(space);
    free(values);
}

void fixture_layer(struct keras_fixture *fixture, const char *name, int count, int rank, const hsize_t *kernel,
    hsize_t n, float seed) {
    char weights[4][80];
    hid_t group = H5Gcreate2(fixture->file, name, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    snprintf(fixture->names[fixture->n++], sizeof fixture->names[0], "%s", name);
    for (int i = 0; i < count; i++) {
        snprintf(weights[i], sizeof weights[i], "%s/%d:0", name, i);
        write_array(group, weights[i], i ? 1 : rank, i ? &n : kernel, seed);
    }
    write_names(group, "weight_names", weights[0], (hsize_t)count, sizeof weights[0]);
    H5Gclose(group);
}

void fixture_finish(struct keras_fixture *fixture) {
    write_names(fixture->file, "layer_names", fixture->names[0], (hsize_t)fixture->n, sizeof fixture->names[0]);
    H5Fclose(fixture->file);
}

static void add_unit(
    struct keras_fixture *fixture, const char *name, hsize_t kernel, hsize_t in, hsize_t out, hsize_t channels) {
    char norm[80];
    snprintf(norm, sizeof norm, "bn_%s", name);
    fixture_layer(fixture, name, 1, 4, (hsize_t[]){kernel, kernel, in, out}, 0, -0.05F);
    fixture_layer(fixture, norm, 4, 1, &channels, channels, 0.5F);
}

void fixture_mobilenetv2(const char *path) {
    static const hsize_t out[] = {16, 24, 24, 32, 32, 32, 64, 64, 64, 64, 96, 96, 96, 160, 160, 160, 320};
    struct keras_fixture fixture;
    char name[64];
    hsize_t channels = 32;
    fixture_start(&fixture, path);
    add_unit(&fixture, "Conv1", 3, 3, 32, 32);
    for (int block = 0; block < 17; block++) {
        hsize_t wide = block ? 6 * channels : channels;
        snprintf(name, sizeof name, "mobl%d_conv_%d_expand", block, block);
        if (block)
            add_unit(&fixture, name, 1, channels, wide, wide);
        snprintf(name, sizeof name, "mobl%d_conv_%d_depthwise", block, block);
        add_unit(&fixture, name, 3, wide, 1, wide);
        snprintf(name, sizeof name, "mobl%d_conv_%d_project", block, block);
        add_unit(&fixture, name, 1, wide, out[block], out[block]);
        channels = out[block];
    }
    add_unit(&fixture, "Conv_1", 1, 320, 1280, 1280);
    fixture_finish(&fixture);
}
