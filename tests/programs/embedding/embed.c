/* SPDX-License-Identifier: MIT */
/*
 * A program, or a plugin, with CPython inside. Built by tests/integration/test_finding.py in these ways:
 *
 *     (nothing)        main() calls Py_Main(): the arguments are an interpreter's
 *     SECOND_THREAD    a second thread calls Py_Initialize() and runs the first argument as a program
 *     PLUGIN           the same as a function, for host.c
 */
#include <Python.h>

#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

int plugin_main(int argc, char **argv);

/* A library of which the test wants to see that it is not taken for the interpreter. */
static void load_stub(void)
{
    const char *path = getenv("PYSPYC_TEST_STUB");
    if (path && !dlopen(path, RTLD_NOW | RTLD_LOCAL))
        fprintf(stderr, "%s\n", dlerror());
}

#if defined(SECOND_THREAD) || defined(PLUGIN)

static int run_file(const char *path)
{
    Py_NoSiteFlag = 1;
    Py_Initialize();
    FILE *file = fopen(path, "r");
    int status = file ? PyRun_SimpleFile(file, path) : 1;
    Py_Finalize();
    return status;
}

static void *run_thread(void *path)
{
    return run_file(path) == 0 ? NULL : path;
}

int plugin_main(int argc, char **argv)
{
    pthread_t thread;
    void *failure = NULL;
    if (argc != 2 || pthread_create(&thread, NULL, run_thread, argv[1]) != 0)
        return 1;
    pthread_join(thread, &failure);
    return failure ? 1 : 0;
}

#else

int plugin_main(int argc, char **argv)
{
#if PY_VERSION_HEX >= 0x03080000
    return Py_BytesMain(argc, argv);
#elif PY_MAJOR_VERSION == 3
    wchar_t *words[16] = {0};
    for (int i = 0; i < argc && i < 15; i++)
        words[i] = Py_DecodeLocale(argv[i], NULL);
    return Py_Main(argc, words);
#else
    return Py_Main(argc, argv);
#endif
}

#endif

#ifndef PLUGIN
int main(int argc, char **argv)
{
    load_stub();
    return plugin_main(argc, argv);
}
#endif
