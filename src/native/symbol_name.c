/* SPDX-License-Identifier: MIT */
#include "symbol_name.h"

#include "base/cleanup.h"

#include <libiberty/demangle.h>
#include <setjmp.h>
#include <string.h>

/* What compilers append; GCC's documentation of -fipa-* and of function splitting, LLVM's of promoted symbols. */
static const char *const clone_marks[] = {".cold",      ".part.",      ".constprop.", ".isra.",
                                          ".lto_priv.", ".localalias", ".llvm.",      ".resolver"};

/* The bytes of a symbol in front of what a compiler has appended. */
static size_t len_without_marks(const char *symbol)
{
    size_t len = strlen(symbol);
    for (size_t i = 0; i < array_size(clone_marks); i++) {
        const char *mark = strstr(symbol, clone_marks[i]);
        if (mark && mark > symbol && (size_t)(mark - symbol) < len)
            len = (size_t)(mark - symbol);
    }
    return len;
}

/* Where the demangler writes to. */
struct demangled {
    struct buffer *name;
    size_t limit; /* of name->len */
    jmp_buf full;
};

/*
 * A short symbol can stand for a text of any length, by naming parts of itself again and again: writing that would not
 * end in our lifetime. The demangler cannot be told to stop; it has no memory but its stack, so it may be left.
 */
static void take_demangled(const char *bytes, size_t len, void *context)
{
    struct demangled *demangled = context;
    size_t free_len = demangled->limit - demangled->name->len;
    buffer_append(demangled->name, bytes, len < free_len ? len : free_len);
    if (len >= free_len || demangled->name->failed)
        longjmp(demangled->full, 1);
}

/*
 * Without DMGL_PARAMS there are no arguments, without DMGL_VERBOSE no hash. DMGL_NO_RECURSE_LIMIT is not set: symbols
 * are hostile. Returns false, and may have appended something, when it is no mangled name.
 */
static bool demangle(const char *symbol, struct buffer *name)
{
    struct demangled demangled = {.name = name, .limit = name->len + SYMBOL_NAME_LIMIT};
    if (setjmp(demangled.full))
        return true;
    return rust_demangle_callback(symbol, DMGL_NO_OPTS, take_demangled, &demangled) ||
           cplus_demangle_v3_callback(symbol, DMGL_ANSI, take_demangled, &demangled);
}

static bool is_mangled(const char *symbol, size_t len)
{
    return len <= SYMBOL_MANGLED_LIMIT && symbol[0] == '_' && (symbol[1] == 'Z' || symbol[1] == 'R');
}

static const char *const cython_prefixes[] = {"__pyx_pw_",   "__pyx_pf_",      "__pyx_f_",      "__pyx_gb_",
                                              "__pyx_fuse_", "__pyx_getprop_", "__pyx_setprop_"};
static const char module_prefix[] = "__pyx_pymod_exec_";

static bool has_prefix(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

/* Returns what follows the prefix of a Cython function; NULL for other symbols. */
static const char *skip_cython_prefix(const char *symbol)
{
    for (size_t i = 0; i < array_size(cython_prefixes); i++) {
        if (has_prefix(symbol, cython_prefixes[i]))
            return symbol + strlen(cython_prefixes[i]);
    }
    return NULL;
}

bool symbol_is_of_cython(const char *symbol)
{
    cleanup_buffer struct buffer name = {0};
    if (is_mangled(symbol, strlen(symbol)) && demangle(symbol, &name))
        symbol = buffer_text(&name);
    return skip_cython_prefix(symbol) || has_prefix(symbol, module_prefix);
}

/*
 * Cython's names of functions (Cython 0.29, Compiler/Naming.py and Symtab.py): a prefix, the length and the name of
 * each module, class and function around it, a number that tells several of the same name apart, and the name. So the
 * length of a name with a number in front may be mistaken for one of these; the other way around is as likely.
 */
static size_t scope_len(const char *text, const char **ret_name)
{
    size_t len = 0;
    const char *name = text;
    for (; *name >= '0' && *name <= '9' && len < SYMBOL_NAME_LIMIT; name++)
        len = len * 10 + (size_t)(*name - '0');
    bool is_scope = len > 0 && !has_prefix(name, "__") && strnlen(name, len + 1) == len + 1 && name[len] == '_';
    *ret_name = name;
    return is_scope ? len : 0;
}

/* The name itself, without its number and without that of a variant for one type ("fused"). */
static const char *skip_number(const char *name)
{
    static const char fused[] = "__pyx_fuse_";
    name += strspn(name, "0123456789");
    return has_prefix(name, fused) ? name + strlen(fused) + strspn(name + strlen(fused), "0123456789_") : name;
}

static void append_cython_name(const char *rest, struct buffer *name)
{
    const char *scope;
    /* A variant of a C function has its prefix in front of the function's. */
    const char *inner = strstr(rest, "__pyx_f_");
    if (inner && strspn(rest, "0123456789_") >= (size_t)(inner - rest))
        rest = inner + strlen("__pyx_f_");
    for (size_t len; (len = scope_len(rest, &scope)) > 0; rest = scope + len + 1) {
        buffer_append(name, scope, len);
        buffer_append_char(name, '.');
    }
    buffer_append_text(name, skip_number(rest));
}

/* Appends a name that is no longer mangled. */
static void append_plain(const char *plain, struct buffer *name)
{
    const char *rest = skip_cython_prefix(plain);
    if (rest && rest[0]) {
        append_cython_name(rest, name);
    } else if (has_prefix(plain, module_prefix)) {
        buffer_append_text(name, plain + strlen(module_prefix));
        buffer_append_text(name, ".<module>");
    } else {
        buffer_append_text(name, plain);
    }
}

static size_t shorter(size_t len, size_t limit)
{
    return len < limit ? len : limit;
}

void symbol_name_append(const char *symbol, struct buffer *name)
{
    cleanup_buffer struct buffer plain = {0};
    size_t len = strlen(symbol);
    if (!is_mangled(symbol, len) || !demangle(symbol, &plain)) {
        buffer_clear(&plain);
        buffer_append(&plain, symbol, shorter(len_without_marks(symbol), SYMBOL_NAME_LIMIT));
        /* What was appended may have been in the demangler's way. */
        cleanup_buffer struct buffer again = {0};
        if (plain.len < len && is_mangled(buffer_text(&plain), plain.len) && demangle(buffer_text(&plain), &again)) {
            buffer_clear(&plain);
            buffer_append(&plain, buffer_text(&again), again.len);
        }
    }
    append_plain(buffer_text(&plain), name);
}
