// SPDX-License-Identifier: MIT
/*
 * What can be done with one frame: the menu beside it, and what its rows do. The help, which lists the keys, is here,
 * too.
 */

const EDITORS = {
    vscode: ['VS Code', 'vscode://file/{file}:{line}'],
    pycharm: ['PyCharm', 'pycharm://open?file={file}&line={line}'],
    other: ['own template', ''],
};
const EDITOR_KEY = 'pyspyc-editor'; // in localStorage
const REFUSED_PROTOCOLS = ['javascript:', 'data:', 'vbscript:', 'blob:'];

/* ---- copying ---- */

/* One name of a collapsed stack, as escape_collapsed() writes it. */
function foldedName(text) {
    const name = text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g, ' ').replace(/;/g, ':').trim();
    return (!name || name.startsWith('#') ? '_' : '') + name + (/\s\d+$/.test(name) ? '_' : '');
}

/* The labels of a node's stack, the root's left out, outermost first. */
function stackOf(view, node) {
    const path = [...ancestorsOf(view.tree, node), node].slice(1);
    const isOfGroup = (at) => isGroup(view.level.frames[view.tree.frame[at]]);
    const groups = path.filter(isOfGroup);
    const calls = path.filter((at) => !isOfGroup(at));
    const ordered = [...groups, ...(view.tree.isInverted ? calls.reverse() : calls)];
    return ordered.map((at) => view.level.frames[view.tree.frame[at]].labels[0]);
}

const COPIES = {
    name: (view, node) => view.level.frames[view.tree.frame[node]].name,
    stack: (view, node) => stackOf(view, node).join('\n'),
    folded: (view, node) => `${stackOf(view, node).map(foldedName).join(';')} ${totalOf(view.tree, node)}`,
};
const COPIED = {name: 'name', stack: 'stack', folded: 'folded line'};

/* Where a page may not use the clipboard, the text is shown, selected, for the person to copy. */
function offerText(view, text) {
    const {content} = view.menu;
    content.replaceChildren();
    makeText('div', 'name', 'Copy this with Ctrl+C', content);
    const area = make(HTML, 'textarea', {rows: 6, cols: 60, readonly: '', 'aria-label': 'Text to copy'}, content);
    area.value = text;
    showPanel(view.menu, visibleArea(view), 40, visibleArea(view).top + view.top + 20, 0);
    area.focus();
    area.select();
}

function copy(view, node, what) {
    const text = COPIES[what](view, node);
    closeMenu(view);
    const refuse = () => offerText(view, text);
    if (!navigator.clipboard)
        return refuse();
    return navigator.clipboard.writeText(text).then(() => flash(view, `Copied the ${COPIED[what]}`), refuse);
}

/* ---- the editor ---- */

/* {name, template}, as chosen before in any picture of this place. */
function readEditor() {
    try {
        const {name, template} = JSON.parse(window.localStorage.getItem(EDITOR_KEY)) || {};
        return {name: Object.hasOwn(EDITORS, name) ? name : 'vscode', template: String(template || '')};
    } catch (error) {
        return {name: 'vscode', template: ''}; // no storage here, or not our text in it
    }
}

function writeEditor(view) {
    try {
        window.localStorage.setItem(EDITOR_KEY, JSON.stringify(view.editor));
    } catch (error) {
        say(view, 'The editor is remembered only while this page is open');
    }
}

/* The address that opens a frame's source, or an empty text when there is none. */
function editorAddress(view, frame) {
    const template = view.editor.name === 'other' ? view.editor.template : EDITORS[view.editor.name][1];
    if (!frame.hasSource || !/^(\/|[A-Za-z]:[\\/])/.test(frame.file) || !template)
        return '';
    const isInQuery = template.indexOf('?') >= 0 && template.indexOf('?') < template.indexOf('{file}');
    const path = isInQuery ? encodeURIComponent(frame.file) :
        frame.file.split('/').map(encodeURIComponent).join('/').replace(/^\//, template.includes('//file/') ? '' : '/');
    const address = template.replace('{file}', () => path).replace('{line}', () => String(Math.max(frame.line, 1)));
    try {
        return REFUSED_PROTOCOLS.includes(new URL(address).protocol) ? '' : address;
    } catch (error) {
        return ''; // no address at all
    }
}

function openEditor(view, node) {
    const address = editorAddress(view, view.level.frames[view.tree.frame[node]]);
    if (!address)
        return flash(view, 'This frame has no source file to open');
    return make(HTML, 'a', {href: address}).click();
}

function makeEditorChoice(view, node, parent) {
    const row = make(HTML, 'div', {class: 'editor'}, parent);
    const select = makeSelect('Editor', row, function (name) {
        view.editor.name = name;
        writeEditor(view);
        fillMenu(view, node);
        view.menu.content.querySelector('.editor select').focus();
    });
    for (const name in EDITORS)
        makeOption(select, name, EDITORS[name][0]);
    select.value = view.editor.name;
    if (view.editor.name !== 'other')
        return;
    const input = make(HTML, 'input', {
        type: 'text',
        placeholder: 'editor://open?file={file}&line={line}',
        'aria-label': 'Template with {file} and {line}',
        spellcheck: 'false',
    }, row);
    input.value = view.editor.template;
    input.addEventListener('input', function () {
        view.editor.template = input.value;
        writeEditor(view);
        view.menu.content.querySelector('a').replaceWith(makeEditorLink(view, node, null));
    });
}

function makeEditorLink(view, node, parent) {
    const address = editorAddress(view, view.level.frames[view.tree.frame[node]]);
    const link = make(HTML, 'a', {class: 'item'}, parent);
    setAttributes(link, address ? {href: address} : {'aria-disabled': 'true'});
    makeText('span', '', `Open in ${EDITORS[view.editor.name][0].replace('own template', 'editor')}`, link);
    makeText('kbd', '', 'o', link);
    return link;
}

/* ---- hide, focus, exclude ---- */

function addFilter(view, node, operation, scope) {
    const frame = view.level.frames[view.tree.frame[node]];
    const key = filterKey(view, scope, frame);
    closeMenu(view);
    if (node === ROOT || !key)
        return flash(view, 'This frame cannot be hidden');
    const filter = {operation, scope, key};
    const others = view.state.filters.filter((other) => filterText(other) !== filterText(filter));
    return change(view, {filters: [...others, filter]});
}

function makeFilterRow(view, node, scope, name, table) {
    const row = make(HTML, 'tr', {}, table);
    makeText('th', '', name, row).setAttribute('scope', 'row');
    for (const [operation, text] of [['hide', 'Hide'], ['focus', 'Focus'], ['exclude', 'Exclude']]) {
        const button = makeButton(text, make(HTML, 'td', {}, row), () => addFilter(view, node, operation, scope));
        setAttributes(button, {'aria-label': `${text} ${name}`, 'data-filter': `${operation} ${scope}`});
    }
}

function makeFilterTable(view, node, parent) {
    const frame = view.level.frames[view.tree.frame[node]];
    const table = make(HTML, 'table', {class: 'filters'}, parent);
    const scopes = [['frame', brief(frame.name, 32)]];
    if (frame.short)
        scopes.push(['module', brief(frame.short, 32)]);
    if (frame.kind === PYTHON && packageFolder(frame))
        scopes.push(['package', `${brief(packageFolder(frame), 30)}/`]);
    if (frame.short || frame.kind === KERNEL)
        scopes.push(['kind', view.info.families[frame.family][1]]);
    for (const [scope, name] of scopes)
        makeFilterRow(view, node, scope, name, table);
    makeText('div', 'note', 'Hide gives time to the caller; focus and exclude choose stacks.', parent);
}

/* ---- the menu ---- */

function makeItem(text, key, parent, onClick) {
    const item = makeButton('', parent, onClick);
    item.classList.add('item');
    makeText('span', '', text, item);
    makeText('kbd', '', key, item);
    return item;
}

function fillMenu(view, node) {
    const frame = view.level.frames[view.tree.frame[node]];
    const {content} = view.menu;
    content.replaceChildren();
    content.setAttribute('aria-label', `Frame ${brief(frame.name, 100)}`);
    makeText('div', 'name', brief(frame.name, 48), content);
    if (frame.place)
        makeText('div', 'note', brief(frame.place, 60), content);
    makeItem('Zoom', 'Enter', content, function () {
        closeMenu(view);
        zoom(view, node);
    });
    for (const [what, key] of [['name', 'y'], ['stack', 's'], ['folded', 'd']])
        makeItem(`Copy ${COPIED[what]}`, key, content, () => copy(view, node, what));
    makeEditorLink(view, node, content);
    makeEditorChoice(view, node, content);
    if (node !== ROOT)
        makeFilterTable(view, node, content);
}

function openMenu(view, node, x, y) {
    hideDetails(view);
    hidePanel(view.help);
    fillMenu(view, node);
    showPanel(view.menu, visibleArea(view), x, y, 2);
    outline(view, view.boxes.find((box) => box.node === node));
    view.menu.content.querySelector('button').focus();
}

/* Returns whether one was open. The keys go back to the boxes. */
function closeMenu(view) {
    if (!view.menu.isShown && !view.help.isShown)
        return false;
    const hadFocus = [view.menu, view.help].some((panel) => panel.holder.contains(document.activeElement));
    hidePanel(view.menu);
    hidePanel(view.help);
    view.outline.setAttribute('display', 'none');
    if (hadFocus)
        view.currentRect.focus();
    return true;
}

/* Arrows go through what can be pressed, as in menus everywhere. */
function pressInMenu(event) {
    const step = {ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1}[event.key];
    if (!step || ['INPUT', 'SELECT', 'TEXTAREA'].includes(event.target.tagName.toUpperCase()))
        return;
    event.preventDefault();
    const items = Array.from(event.currentTarget.querySelectorAll('button, a[href], select, input'));
    items[(items.indexOf(event.target) + step + items.length) % items.length].focus();
}

/* ---- help ---- */

const KEYS = [
    ['Arrows', 'to the widest callee, the caller, the neighbours'],
    ['Enter', 'zoom; 0 or Esc shows the whole again'],
    ['/', 'search; n and N go to the next and previous match'],
    ['i', 'flame or icicle'],
    ['c', 'callers first or callees first'],
    ['l', 'lines, functions, names'],
    ['r', 'fold recursion'],
    ['t', 'threads and processes'],
    ['k', 'colours by kind or module'],
    ['m', 'menu of the frame'],
    ['h H', 'hide the frame, its module'],
    ['f F', 'focus on the frame, its module'],
    ['x X', 'exclude the frame, its module'],
    ['u', 'undo the last of these'],
    ['y s d', 'copy name, stack, folded line'],
    ['o', 'open the source in an editor'],
    ['?', 'this list'],
];

function toggleHelp(view) {
    if (closeMenu(view))
        return;
    const {content} = view.help;
    content.replaceChildren();
    makeText('div', 'name', 'Keys', content);
    const table = make(HTML, 'table', {}, content);
    for (const [keys, meaning] of KEYS) {
        const row = make(HTML, 'tr', {}, table);
        const cell = make(HTML, 'td', {}, row);
        keys.split(' ').forEach((key) => makeText('kbd', '', key, cell));
        makeText('td', '', meaning, row);
    }
    makeText('div', 'note', 'Keys of frames are for the one under the mouse or with the focus.', content);
    const close = makeButton('Close', content, () => closeMenu(view));
    showPanel(view.help, visibleArea(view), view.width, visibleArea(view).top + view.top, 4);
    close.focus();
}
