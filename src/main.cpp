#include "app/command.h"

int main(int argc, char** argv) { return posthaste::app::main_program(argc, argv); }
