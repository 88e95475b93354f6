/* Stands in for libFuzzer's main: runs a fuzz harness once over every file of the folders given, in `make test`. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int replay_file(const char *path) {
    FILE *file = fopen(path, "rb");
    if (!file)
        return 0;
    fseek(file, 0, SEEK_END);
    long size = ftell(file);
    rewind(file);
    /* An exact allocation, so that a read past the end is seen. */
    uint8_t *data = size >= 0 ? malloc((size_t)size + (size == 0)) : NULL;
    int done = data && fread(data, 1, (size_t)size, file) == (size_t)size;
    fclose(file);
    if (done)
        LLVMFuzzerTestOneInput(data, (size_t)size);
    free(data);
    return done;
}

static int replay_folder(const char *folder) {
    DIR *dir = opendir(folder);
    int n = 0;
    for (struct dirent *entry; dir && (entry = readdir(dir));) {
        char path[4096];
        if (entry->d_name[0] != '.' && snprintf(path, sizeof path, "%s/%s", folder, entry->d_name) < (int)sizeof path)
            n += replay_file(path);
    }
    if (dir)
        closedir(dir);
    return n;
}

int main(int argc, char **argv) {
    int n = 0;
    for (int i = 1; i < argc; i++)
        n += replay_folder(argv[i]);
    printf("replayed %d inputs\n", n);
    return n > 0 ? 0 : 1;
}
