/* usage: make_keras_fixture OUT.h5    MobileNetV2 as Keras publishes it, with made-up weights. */
#include "keras_fixture.h"

int main(int argc, char **argv) {
    if (argc != 2)
        return 1;
    fixture_mobilenetv2(argv[1]);
    return 0;
}
