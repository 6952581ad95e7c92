import { longestNames, oddNames, refusedNames, refusedNamesOf } from './names.ts'

const range = (from: number, to: number): string[] =>
  Array.from({ length: to - from + 1 }, (_, n) => String.fromCodePoint(from + n))

/** Characters that something on the way may take for its own, drop or alter. */
const oddCharacters: readonly string[] = [
  ...range(0x00, 0x20),
  ...'!"#$%&\'()*+,-.:;<=>?@[]^_`{|}~/\\',
  ...range(0x7f, 0x85),
  ...['\u00A0', '\u00AD', '\u034F', '\u061C', '\u115F', '\u180E'],
  ...range(0x200b, 0x200f),
  ...range(0x2024, 0x202f),
  ...range(0x2060, 0x2069),
  ...['\u3000', '\uD800', '\uDBFF', '\uDC00', '\uDFFF', '\uE000', '\uFE0F', '\uFEFF', '\uFF0E', '\uFF0F', '\uFF3C'],
  ...['\uFFF9', '\uFFFD', '\uFFFE', '\uFFFF', '\u{1F3F4}\u{E0067}\u{E007F}', '\u{1FFFE}', '\u{10FFFF}'],
]

const devices = ['CON', 'PRN', 'AUX', 'NUL', 'COM1', 'LPT9', 'CLOCK$', 'con.md', 'nul.json', 'aux.']

const escapes = [
  '%2e%2e%2f%2e%2e',
  '%252e%252e%252f',
  '..%2f',
  '%c0%ae%c0%ae/',
  '&#46;&#46;/',
  '\\u002e\\u002e',
  '=cmd|x',
]

const twins = ['é', 'Å', 'ñ', '가', 'ﬀ', 'Ω'].flatMap((text) => [text.normalize('NFC'), text.normalize('NFD')])

const lengths = [31, 32, 33, 63, 64, 65, 127, 128, 129, 196, 197, 198, 200, 201, 254, 255, 256, 300].flatMap(
  (bytes) => ['n'.repeat(bytes), 'é'.repeat(Math.floor(bytes / 2))],
)

/** Names that a person, an agent or an attacker may come up with, each once. */
export const hostileNames: readonly string[] = [
  ...new Set([
    ...refusedNames,
    ...Object.values(refusedNamesOf).flat(),
    ...oddNames,
    ...Object.values(longestNames),
    ...oddCharacters.map((character) => `in${character}side`),
    ...devices,
    ...escapes,
    ...twins,
    ...lengths,
  ]),
]

/** Text of any kind that a store must keep byte for byte or refuse. */
export const hostileTexts: readonly string[] = [
  ...oddCharacters.map((character) => `before${character}after`),
  ...['', ' ', '\n', '\r\n\r', '\uFEFF# Title', '---\nid: 7\n---\n', '{"looks": "like JSON"', '\\u0000 \\x00 \\N'],
  ...["'; DROP TABLE nexus_task_files; --", '$1 $$ :name %s {0}', '\uDC00\uD800', 'e\u0301\u00e9', '👩‍👩‍👧'],
]

const mebibyte = 1024 * 1024

/** At the limit, just beyond it, and far beyond. */
export const hugeTexts: readonly string[] = [
  'x'.repeat(16 * mebibyte),
  'x'.repeat(16 * mebibyte + 1),
  'ü'.repeat(8 * mebibyte + 1),
  'x'.repeat(64 * mebibyte),
]

const deep = (open: string, close: string, levels: number): string => `${open.repeat(levels)}1${close.repeat(levels)}`

/** JSON text, and what only looks like it, as another program may have stored it. */
export const hostileJsonTexts: readonly string[] = [
  ...[
    '',
    ' ',
    'null',
    'true',
    '0',
    '-0',
    '"text"',
    '[]',
    '{}',
    'not json',
    '{"cut": [',
    '{"a": 1,}',
    "{'a': 1}",
    '{a: 1}',
  ],
  ...[
    '{"a": NaN}',
    '{"a": Infinity}',
    '{"a": 0x10}',
    '{"a": 01}',
    '{"a": +1}',
    '{"a": .5}',
    '{"a": 1} {"b": 2}',
    '/**/{}',
  ],
  ...['{"a": 1e400}', '{"a": -1e400}', '{"a": 1e-400}', `{"a": ${'9'.repeat(400)}}`, `{"a": 0.${'1'.repeat(400)}}`],
  ...['{"a": 12345678901234567890}', '{"a": 9007199254740993}', '{"a": 1.7976931348623157e308}', '{"a": 5e-324}'],
  ...['{"a": 1, "a": 2}', '{"a": {"b": 1}, "a": {"c": 2}}', '{"a": 1, "\\u0061": 2}', '{"": 1, " ": 2, "\\u0000": 3}'],
  ...['{"__proto__": {"polluted": true}}', '{"constructor": {"prototype": {"polluted": true}}}', '{"toString": null}'],
  ...['{"10": 1, "9": 2, "b": 3, "a": 4}', '{"a": "\\ud800"}', '{"a": "\\udc00\\ud800"}', '{"a": "\\u0000"}'],
  ...[
    '{"a": "raw\nnewline"}',
    '{"a": "raw\u0001control"}',
    '{"a": "\u2028\u2029"}',
    '{"a": "\\x41"}',
    '{"a": "\\u00"}',
  ],
  ...[
    '\uFEFF{"a": 1}',
    '\uFEFF\uFEFF{"a": 1}',
    '\u00A0{"a": 1}',
    '\u000B{"a": 1}',
    '\n\t {"a": 1}\r\n',
    '{"a": "\uFEFF"}',
  ],
  ...[511, 512, 513, 100_000].map((levels) => deep('[', ']', levels)),
  ...[510, 511, 512, 100_000].map((levels) => deep('{"a":', '}', levels)),
  '['.repeat(100_000),
  `[${'0,'.repeat(20_000)}0]`,
]
