/* SPDX-License-Identifier: MIT */
#include "base/cleanup.h"
#include "recording_builder.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/* That indexes are in range and tables hold together in a true recording, tests/integration/test_timeline_formats.py
 * looks at; here is what they should say. */

static char *write_two_threads(void)
{
    struct built_recording built = build_two_threads();
    char *text = write_built(&built, "firefox", &(struct format_options){0});
    built_recording_deinit(&built);
    return text;
}

static void assert_has(const char *expected)
{
    cleanup_free char *text = write_two_threads();
    if (!strstr(text, expected))
        assert_string_equal(text, expected);
}

static void the_head_says_when_and_what(void **state)
{
    (void)state;
    assert_has("{\"meta\":{\"preprocessedProfileVersion\":60,\"version\":33,\"importedFrom\":\"pyspyc " PYSPYC_VERSION
               "\","
               "\"product\":\"python app.py\",\n"
               "\"interval\":1,\"startTime\":1700000000123.456789,\"endTime\":1700000000129.456789,"
               "\"profilingStartTime\":0,\"profilingEndTime\":6,\n"
               "\"processType\":0,\"stackwalk\":1,\"debug\":false,\"platform\":\"Linux\",\"symbolicated\":true,"
               "\"symbolicationNotSupported\":true,\"usesOnlyOneStackType\":true,"
               "\"sourceCodeIsNotOnSearchfox\":true,\n"
               "\"sampleUnits\":{\"time\":\"ms\",\"eventDelay\":\"ms\",\"threadCPUDelta\":\"ns\"},\n"
               "\"keepProfileThreadOrder\":true,\"initialVisibleThreads\":[0,1],\"initialSelectedThreads\":[0],\n"
               "\"extra\":[{\"label\":\"Sampling\",\"entries\":[{\"label\":\"Samples\",\"format\":\"integer\","
               "\"value\":6},{\"label\":\"Intervals with samples\",\"format\":\"integer\",\"value\":0},"
               "{\"label\":\"Intervals without anybody to sample\",\"format\":\"integer\",\"value\":0},"
               "{\"label\":\"Intervals lost: torn\",\"format\":\"integer\",\"value\":0},"
               "{\"label\":\"Intervals lost: unreadable\",\"format\":\"integer\",\"value\":0},"
               "{\"label\":\"Intervals lost: missed\",\"format\":\"integer\",\"value\":0}]}],");
}

/* The last stack is that of the idle sample: the frame's copy has another category. */
static void threads_share_the_tables(void **state)
{
    (void)state;
    assert_has("\"libs\":[],\n"
               "\"shared\":{\"stackTable\":{\"length\":5,\n"
               "\"frame\":[0,1,2,3,4],\n"
               "\"prefix\":[null,0,1,null,null]},\n"
               "\"frameTable\":{\"length\":5,\n"
               "\"address\":[-1,-1,-1,-1,-1],\n"
               "\"inlineDepth\":[0,0,0,0,0],\n"
               "\"category\":[1,1,7,3,9],\n"
               "\"subcategory\":[0,0,0,0,0],\n"
               "\"func\":[0,1,2,3,3],\n"
               "\"nativeSymbol\":[null,null,null,null,null],\n"
               "\"innerWindowID\":[0,0,0,0,0],\n"
               "\"line\":[101,205,null,301,301],\n"
               "\"column\":[null,null,null,null,null]},\n"
               "\"funcTable\":{\"length\":4,\n"
               "\"name\":[5,7,8,9],\n"
               "\"isJS\":[false,false,false,false],\n"
               "\"relevantForJS\":[false,false,false,false],\n"
               "\"resource\":[-1,-1,-1,-1],\n"
               "\"source\":[0,0,null,1],\n"
               "\"lineNumber\":[100,200,null,300],\n"
               "\"columnNumber\":[null,null,null,null]},\n"
               "\"resourceTable\":{\"length\":0,\n"
               "\"lib\":[],\n"
               "\"name\":[],\n"
               "\"host\":[],\n"
               "\"type\":[]},\n"
               "\"nativeSymbols\":{\"length\":0,\"libIndex\":[],\"address\":[],\"name\":[],\"functionSize\":[]},\n"
               "\"sources\":{\"length\":2,\n"
               "\"uuid\":[null,null],\n"
               "\"filename\":[6,10]},\n"
               "\"stringArray\":[\"GC\",\"GIL held\",\"GIL wait\",\"(no name)\",\"kernel\",\n"
               "\"main\",\n"
               "\"/app/a.py\",\n"
               "\"load\",\n"
               "\"\\u003cGC\\u003e\",\n"
               "\"run\",\n"
               "\"/usr/lib/python3.11/threading.py\"]},");
}

/* Each sample is there, and one without a stack where a gap begins. */
static void samples_and_markers_are_columns(void **state)
{
    (void)state;
    assert_has("\"samples\":{\"weightType\":\"samples\",\n"
               "\"stack\":[1,2,null,0,null],\n"
               "\"time\":[0,1,2,4,5],\n"
               "\"weight\":[1,1,0,1,0],\n"
               "\"threadCPUDelta\":[0,1000000,1000000,0,1000000],\n"
               "\"length\":5},\n"
               "\"markers\":{\"name\":[0,1],\n"
               "\"startTime\":[1,0],\n"
               "\"endTime\":[2,2],\n"
               "\"phase\":[1,1],\n"
               "\"category\":[7,8],\n"
               "\"data\":[{\"type\":\"GC\"},{\"type\":\"GIL held\"}],\n"
               "\"length\":2}");
    assert_has("{\"name\":\"\\\"w\\\"\\u003c\\u000a\",\"processName\":\"app.py\",\"pid\":\"10\",\"tid\":11,"
               "\"isMainThread\":false,\"processType\":\"default\",\"processStartupTime\":0,"
               "\"processShutdownTime\":null,\"registerTime\":0,\"unregisterTime\":null,\"pausedRanges\":[],"
               "\"showMarkersInTimeline\":true,\n"
               "\"samples\":{\"weightType\":\"samples\",\n"
               "\"stack\":[3,null,4,null],\n"
               "\"time\":[0,2,4,5],\n"
               "\"weight\":[2,0,1,0],\n"
               "\"threadCPUDelta\":[0,2000000,0,0],\n"
               "\"length\":4},\n"
               "\"markers\":{\"name\":[2],\n"
               "\"startTime\":[0],\n"
               "\"endTime\":[2],\n"
               "\"phase\":[1],\n"
               "\"category\":[8],\n"
               "\"data\":[{\"type\":\"GIL wait\"}],\n"
               "\"length\":1}}\n"
               "]}");
}

static void a_recording_without_samples_has_no_threads(void **state)
{
    (void)state;
    struct built_recording built = build_recording(build_recorded_profile(10, 40), NULL, 0);
    cleanup_free char *text = write_built(&built, "firefox", &(struct format_options){0});
    assert_non_null(strstr(text, "\"startTime\":0,\"profilingStartTime\":0,"));
    assert_non_null(strstr(text, "\"threads\":[\n\n]}\n"));
    built_recording_deinit(&built);
}

static void libraries_and_the_kernel_are_resources(void **state)
{
    (void)state;
    struct built_recording built = build_native_calls();
    cleanup_free char *text = write_built(&built, "firefox", &(struct format_options){0});
    built_recording_deinit(&built);
    static const char *const expected[] = {
        "\"libs\":[\n"
        "{\"name\":\"libc.so.6\",\"debugName\":\"libc.so.6\",\"path\":\"/usr/lib/libc.so.6\","
        "\"debugPath\":\"/usr/lib/libc.so.6\",\"arch\":\"\",\"breakpadId\":\"\",\"codeId\":null},\n"
        "{\"name\":\"/lib/libsolve.so\",\"debugName\":\"/lib/libsolve.so\",\"path\":\"/lib/libsolve.so\","
        "\"debugPath\":\"/lib/libsolve.so\",\"arch\":\"\",\"breakpadId\":\"\",\"codeId\":null}],\n",
        "\"category\":[1,5,6,5,5,5],\n",
        "\"func\":[0,1,2,3,3,4],\n",
        "\"line\":[101,null,null,12,14,null],\n",
        "\"resource\":[-1,0,1,-1,2],\n"
        "\"source\":[0,null,null,1,null],\n",
        "\"resourceTable\":{\"length\":3,\n"
        "\"lib\":[0,null,1],\n",
        "\"host\":[null,null,null],\n"
        "\"type\":[1,0,1]},\n",
        "{\"name\":\"Native\",\"color\":\"lightblue\"",
        "{\"name\":\"Kernel\",\"color\":\"magenta\"",
    };
    for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
        if (!strstr(text, expected[i]))
            assert_string_equal(text, expected[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_head_says_when_and_what),
        cmocka_unit_test(threads_share_the_tables),
        cmocka_unit_test(libraries_and_the_kernel_are_resources),
        cmocka_unit_test(samples_and_markers_are_columns),
        cmocka_unit_test(a_recording_without_samples_has_no_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
