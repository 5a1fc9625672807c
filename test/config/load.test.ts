// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references of the configuration file
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'bun:test'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { exampleFile } from '../../src/commands/example-file.ts'
import { type Loaded, loadConfig } from '../../src/config/load.ts'
import { ConfigError, formatProblem } from '../../src/config/problems.ts'
import { File } from '../../src/config/schema.ts'

const knownProviders = ['openai', 'anthropic', 'google-ai-studio', 'google-vertex-ai', 'aws-bedrock', 'grok', 'ollama']

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'postern-load-'))
})
afterAll(() => rmSync(folder, { recursive: true }))
beforeEach(() => {
  for (const name of ['postern.yaml', 'postern.yml', 'other.yaml']) rmSync(join(folder, name), { force: true })
})

type Env = Record<string, string | undefined>

function load(text: string, env: Env = {}): Loaded {
  writeFileSync(join(folder, 'postern.yaml'), text)
  return loadConfig({ folder, env, knownProviders })
}

/** The faults of a text as they are printed, without the name of the file. */
function faults(text: string, env: Env = {}): string[] {
  try {
    load(text, env)
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    return error.problems.map(problem => formatProblem(problem).replace(/^postern\.yaml:/, ''))
  }
  return []
}

const warnings = (text: string, env: Env = {}) =>
  load(text, env).warnings.map(problem => formatProblem(problem).replace(/^postern\.yaml:/, ''))

describe('a file without faults', () => {
  test('an empty file, a null file and comments alone give the defaults', () => {
    for (const text of ['', '# nothing\n', '---\n', '{}']) {
      const { config, warnings } = load(text)
      expect(warnings).toEqual([])
      expect(config).toMatchObject({
        server: {
          host: '127.0.0.1',
          port: 8787,
          workers: 1,
          public_url: 'http://127.0.0.1:8787',
          drain: 30,
          max_body: 104_857_600,
          domains: {},
        },
        accounts: ['home'],
        storage: { database: 'sqlite:./postern.db', on_shared_store_failure: 'deny' },
        tokens: [],
        log: { level: 'info', format: 'auto' },
        path: join(folder, 'postern.yaml'),
      })
    }
  })

  test('everything that it says arrives, references resolved', () => {
    const { config, warnings } = load(
      `
server: { host: 0.0.0.0, port: \${PORT}, public_url: "https://ai.example.com/" }
account: [home, 0123456789]
storage: { database: "sqlite:\${DATA:-/var/lib}/p.db" }
tokens:
  - { name: laptop, token: \${LAPTOP_TOKEN}, permissions: [run, read], gateways: [default] }
  - name: digits
    token: 0012345678
providers:
  openai:
    keys: { default: \${OPENAI_API_KEY}, research: \${OPENAI_KEY_RESEARCH:-sk-a, b} }
    headers: { x-team: \${TEAM} }
custom_providers:
  workstation: { base_url: http://192.168.1.20:11434, dialect: ollama-chat }
gateways:
  default: { authentication: \${AUTH}, cache_ttl: null, collect_logs: false }
prices:
  openai/my-finetune: { input: 1.5, output: 6 }
log: { level: \${LEVEL}, format: json }
`,
      {
        PORT: '9000',
        LAPTOP_TOKEN: '1234567890',
        OPENAI_API_KEY: 'sk-test\n',
        AUTH: 'false',
        LEVEL: 'warn',
        TEAM: '42',
      },
    )
    expect(warnings).toEqual([])
    expect(config as unknown).toEqual({
      server: {
        host: '0.0.0.0',
        port: 9000,
        workers: 1,
        public_url: 'https://ai.example.com',
        drain: 30,
        max_body: 104_857_600,
        domains: {},
        first_byte_timeout: expect.any(Number),
        resume_grace: 10,
        metrics: 'token',
      },
      accounts: ['home', '0123456789'],
      storage: {
        database: 'sqlite:/var/lib/p.db',
        on_shared_store_failure: 'deny',
        log_retention_days: 30,
        log_metadata_keys: [],
        cache_memory: 67_108_864,
        cache_size: 1_073_741_824,
        spool: '/var/lib/p.db.spool',
      },
      tokens: [
        { name: 'laptop', token: '1234567890', permissions: ['run', 'read'], gateways: ['default'] },
        { name: 'digits', token: '0012345678', permissions: ['run'] },
      ],
      providers: {
        openai: { keys: { default: 'sk-test', research: 'sk-a, b' }, headers: { 'x-team': '42' } },
      },
      custom_providers: {
        workstation: { base_url: 'http://192.168.1.20:11434', dialect: 'ollama-chat', faithful: false },
      },
      gateways: { default: { authentication: false, collect_logs: false, cache_ttl: null } },
      billing: { enabled: false, balance: 'account', margin: 0, rate_limit: 200, rate_limit_period: 60 },
      prices: { 'openai/my-finetune': { input: 1.5, output: 6 } },
      logpush: [],
      log: { level: 'warn', format: 'json' },
      path: join(folder, 'postern.yaml'),
      declared: {
        modified: expect.any(Number),
        lines: expect.objectContaining({
          '/tokens/1': 7,
          '/providers/openai/keys/research': 11,
          '/custom_providers/workstation': 14,
          '/gateways/default': 16,
        }),
      },
    })
  })

  test('a key with nothing after it counts as left out', () => {
    const { config } = load('server:\n  port:\ntokens:\nproviders:\n  openai:\n    keys:\n      default:\n')
    expect(config.server.port).toBe(8787)
    expect(config.providers.openai).toEqual({ keys: {} })
  })

  test('a reference that comes to nothing counts as left out, and so does an empty key', () => {
    const { config } = load(
      'server: { port: ${PORT:-} }\nproviders: { openai: { keys: { default: ${K:-}, other: "" }, region: ${R:-} } }',
    )
    expect(config.server.port).toBe(8787)
    expect(config.providers.openai).toEqual({ keys: {} })
  })

  test('quoted keys, Windows line ends and a byte order mark', () => {
    const { config } = load('\ufeff"server":\r\n  \'port\': 1\r\ngateways: { 1: { "collect_logs": false } }\r\n')
    expect(config.server.port).toBe(1)
    expect(config.gateways['1']?.collect_logs).toBe(false)
  })

  test('anchors, aliases and merges', () => {
    const { config } = load(
      'gateways:\n  one: &one { authentication: false, collect_logs: false }\n  two:\n    <<: *one\n    collect_logs: true\n  three: *one\n',
    )
    expect(config.gateways.two).toEqual({ authentication: false, collect_logs: true })
    expect(config.gateways.three).toEqual({ authentication: false, collect_logs: false })
  })

  test('a default in JSON stands within quotes of either kind and without', () => {
    for (const written of ['${K:-{"a":1}}', '\'${K:-{"a":1}}\'', '"${K:-{\\"a\\":1}}"']) {
      const { config } = load(`providers: { aws-bedrock: { keys: { default: ${written} } } }`)
      expect(config.providers['aws-bedrock']?.keys?.default).toBe('{"a":1}')
    }
  })

  test('words from a request do not find what an object inherits', () => {
    const { config } = load('gateways: { default: {} }')
    expect(config.gateways.constructor).toBeUndefined()
    expect(config.providers.toString).toBeUndefined()
    expect(config.custom_providers.hasOwnProperty).toBeUndefined()
  })

  test('the address that people are shown is one that can be opened', () => {
    expect(load('server: { host: 0.0.0.0 }').config.server.public_url).toBe('http://127.0.0.1:8787')
    expect(load('server: { host: "::1" }').config.server.public_url).toBe('http://[::1]:8787')
  })
})

describe('faults', () => {
  test('the example of the design, word for word', () => {
    const text = `${'\n'.repeat(9)}gateways:\n  default:\n    cache_ttl: soon\n`
    expect(faults(text)).toEqual(['12:16 gateways.default.cache_ttl: expected an integer of at least 0, found "soon"'])
  })

  test.each([
    ['server: { prot: 1 }', '1:11 server.prot: unknown key "prot"; did you mean "port"?'],
    ['port: 1', '1:1 port: unknown key "port"; it belongs under "server"'],
    ['log: { colour: red }', '1:8 log.colour: unknown key "colour"; known here: level, format'],
    ['server: { maxBody: 2000 }', '1:11 server.maxBody: unknown key "maxBody"; did you mean "max_body"?'],
    ['server: { port: 70000 }', '1:17 server.port: expected an integer from 0 to 65535, found 70000'],
    ['server: { port: 80.5 }', '1:17 server.port: expected an integer from 0 to 65535, found 80.5'],
    ['server: { port: "80" }', '1:17 server.port: expected an integer from 0 to 65535, found "80"'],
    ['server: [1]', '1:9 server: expected a mapping, found a list'],
    ['server: { host: "" }', '1:17 server.host: expected a string that is not empty, found an empty string'],
    ['account: []', '1:10 account: expected a list of at least 1 item, found an empty list'],
    [
      'account: {}',
      '1:10 account: expected a name of letters, digits, ".", "_", "~" and "-" or a list of at least 1 item, found a mapping',
    ],
    [
      'account: a/b',
      '1:10 account: expected a name of letters, digits, ".", "_", "~" and "-" or a list of at least 1 item, found "a/b"',
    ],
    ['log: { level: loud }', '1:15 log.level: expected "debug", "info", "warn", "error" or "silent", found "loud"'],
    [
      'gateways: { a: { retry_backoff: linaer } }',
      '1:33 gateways.a.retry_backoff: expected "constant", "linear" or "exponential", found "linaer"; did you mean "linear"?',
    ],
    ['gateways: { a: { authentication: yes } }', '1:34 gateways.a.authentication: expected true or false, found "yes"'],
    [
      'gateways: { a: { dlp: { action: STOP, profiles: [] } } }',
      '1:33 gateways.a.dlp.action: expected "FLAG" or "BLOCK", found "STOP"',
    ],
    [
      'gateways: { A B: {} }',
      '1:13 gateways.A B: expected a name of 1 to 64 lower-case letters, digits, "_" and "-", found "A B"',
    ],
    ['custom_providers: { a: { keys: { default: k } } }', '1:24 custom_providers.a: the key "base_url" is missing'],
    [
      'custom_providers: { a: { base_url: localhost } }',
      '1:36 custom_providers.a.base_url: expected an address that begins with http:// or https://, found "localhost"',
    ],
    ['prices: { x/y: { input: -1 } }', '1:25 prices.x/y.input: expected a number from 0 to 9000, found -1'],
    [
      'storage: { database: "mysql://u:secret@h/d" }',
      '1:22 storage.database: expected sqlite:<path> or postgres://user:password@host/database, found a string',
    ],
    ['- a', '1:1: expected a mapping of settings at the top of the file'],
    ['server: { port: 1, port: 2 }', '1:20 server.port: duplicate key; it is on line 1 already'],
    ['gateways: &a { x: *a }', '1:19 gateways.x: an alias that holds itself'],
    ['account: chat', '1:10 account: an account cannot be called "chat": /v1/chat is a short address'],
    ['account: [a, Models]', '1:14 account.1: an account cannot be called "Models": /v1/models is a short address'],
    ['account: [a, a]', '1:14 account.1: the account "a" is listed twice'],
  ])('%s', (text, expected) => {
    expect(faults(text)).toEqual([expected])
  })

  test('short addresses cannot be accounts', () => {
    for (const word of ['chat', 'completions', 'responses', 'messages', 'embeddings', 'models']) {
      expect(faults(`account: ${word}`)).toHaveLength(1)
    }
  })

  test('every fault at once, by position', () => {
    const found = faults(
      'log: { level: loud }\nserver:\n  prot: 1\n  workers: 0\ntokens:\n  - token: ${NONE}\naccount: chat\n',
    )
    expect(found.map(line => line.split(' ')[0])).toEqual(['1:15', '3:3', '4:12', '6:5', '6:12', '7:10'])
  })

  test('an alternative that a word tells apart is named by it', () => {
    const policy = (text: string) => faults(`gateways: { a: { policies: [${text}] } }`)
    const at = (column: number, path: string, message: string) => [
      `1:${column} gateways.a.policies.0.${path}: ${message}`,
    ]
    const words = 'expected "no-limit", "block" or "limit"'
    expect(policy('{ action: { type: blok } }')).toEqual(
      at(47, 'action.type', `${words}, found "blok"; did you mean "block"?`),
    )
    expect(policy('{ action: { type: limt, amount: 5, period: daily, technique: named-interval } }')).toEqual(
      at(47, 'action.type', `${words}, found "limt"; did you mean "limit"?`),
    )
    expect(policy('{ action: { type: block, amount: 5 } }')).toEqual(
      at(54, 'action.amount', 'unknown key "amount"; known here: type, except'),
    )
    expect(policy('{ action: { amount: 5 } }')).toEqual(at(39, 'action', 'the key "type" is missing'))
    expect(policy('{ action: block }')).toEqual(at(39, 'action', 'expected a mapping, found "block"'))
    expect(policy('{ action: { type: block }, resource: [] }')).toEqual(
      at(66, 'resource', 'expected "*" or a mapping, found an empty list'),
    )
  })

  test('what is wrong with dynamic routes, each at its place', () => {
    const text = [
      'gateways:',
      '  default:',
      '    routes:',
      '      support:',
      '        elements:',
      '          - { id: s, type: start, outputs: { next: m } }',
      '          - { id: m, type: model, properties: { provider: opnai, model: x }, outputs: { success: ende } }',
      '          - { id: e, type: end }',
      '      a/b: { elements: [] }',
    ].join('\n')
    expect(faults(text)).toEqual([
      '7:59 gateways.default.routes.support.elements: elements[1] "m": properties.provider: there is no provider "opnai"; did you mean "openai"?',
      '7:98 gateways.default.routes.support.elements: elements[1] "m": outputs.success leads to "ende", which is not there',
      '8:13 gateways.default.routes.support.elements: elements[2] "e": nothing leads here from the start',
      '9:7 gateways.default.routes.a/b: expected a name of 1 to 128 characters without "/" and "@", found "a/b"',
      '9:24 gateways.default.routes.a/b.elements: elements: expected a list of 1 to 200 elements, found an empty list',
    ])
  })

  test('what the schema cannot say of policies', () => {
    const text = `custom_providers: { den: { base_url: "http://d" } }
gateways:
  a:
    policies:
      - { name: Interns, condition: 'metadata.a ==', action: { type: block } }
      - { resource: { provider: [openia, custom-den, openai] }, action: { type: block } }
      - { actor: '{cf.user}', id: x, action: { type: no-limit } }
      - { id: x, action: { type: no-limit } }
`
    expect(faults(text)).toEqual([
      '5:37 gateways.a.policies.0.condition: policies[0] "Interns": condition: at character 14: Unexpected token: EOF',
      '6:34 gateways.a.policies.1.resource.provider.0: policies[1]: resource: there is no provider "openia"; did you mean "openai"?',
      expect.stringMatching(/^7:18 gateways\.a\.policies\.2\.actor: policies\[2\]: actor: expected cf\.user\.id, /),
      '8:15 gateways.a.policies.3.id: policies[3]: id: policies[2] has the same id',
    ])
  })

  test('providers that are not known', () => {
    expect(faults('providers: { opnai: {} }')).toEqual([
      '1:14 providers.opnai: unknown provider "opnai"; did you mean "openai"? a server of your own goes under "custom_providers"',
    ])
    expect(faults('providers: { xai: {} }')[0]).toContain('did you mean "grok"?')
    expect(faults('providers: { workstation: { base_url: "http://x" } }')).toEqual([
      '1:14 providers.workstation: unknown provider "workstation"; a server of your own goes under "custom_providers"',
    ])
  })

  test('two tokens of one name, and two of one secret', () => {
    const text = 'tokens:\n  - { name: a, token: secret-one }\n  - { name: a, token: secret-one }\n'
    expect(faults(text)).toEqual([
      '3:13 tokens.1.name: another token has the same name; the first is on line 2',
      '3:23 tokens.1.token: another token has the same secret; the first is on line 2',
    ])
  })

  test('keys that begin like JSON and are not, where JSON is meant', () => {
    const text = (slug: string, key: string) => `providers:\n  ${slug}:\n    keys:\n      default: '${key}'\n`
    const message = '4:16 providers.aws-bedrock.keys.default: begins like JSON but is not valid JSON'
    expect(faults(text('aws-bedrock', '{"accessKeyId": "AKIA'))).toEqual([message])
    expect(faults(text('google-vertex-ai', '{private_key}'))).toHaveLength(1)
    expect(faults(text('aws-bedrock', '{"accessKeyId": "AKIA"}'))).toEqual([])
    expect(faults(text('aws-bedrock', 'bedrock-api-key'))).toEqual([])
    expect(faults(text('openai', '{odd'))).toEqual([])
  })
})

describe('references in the file', () => {
  test('an unset variable is named, with its place', () => {
    expect(faults('providers:\n  openai:\n    keys: { default: ${OPENAI_KEY} }')).toEqual([
      '3:22 providers.openai.keys.default: the environment variable OPENAI_KEY is not set (write ${OPENAI_KEY:-} if it may be missing)',
    ])
  })

  test('a missing variable is one fault, not also a missing key', () => {
    expect(faults('tokens: [{ name: a, token: ${NONE} }]')).toHaveLength(1)
  })

  test('a required value that comes to nothing is named as that', () => {
    expect(faults('tokens: [{ name: a, token: ${NONE:-} }]')).toEqual([
      '1:28 tokens.0.token: expected a string that is not empty, found an empty string from ${NONE}',
    ])
  })

  test('a number or a truth value may come from one, but must be one', () => {
    expect(load('server: { port: "${P}", drain: ${D} }', { P: '81', D: '0.5' }).config.server).toMatchObject({
      port: 81,
      drain: 0.5,
    })
    expect(faults('server: { port: ${P} }', { P: '81x' })).toEqual([
      '1:17 server.port: expected an integer from 0 to 65535, found a string from ${P}',
    ])
    expect(faults('gateways: { a: { authentication: ${A} } }', { A: 'perhaps' })).toHaveLength(1)
  })

  test('the places of what follows on the line are those of the file', () => {
    expect(faults('server: { host: ${HOST:-a, b: c}, prot: 1 }')[0]).toStartWith('1:35 server.prot:')
  })

  test('a file beside the configuration', () => {
    writeFileSync(join(folder, 'token.txt'), 'a-long-secret\n')
    expect(load('tokens: [{ name: a, token: ${file:token.txt} }]').config.tokens[0]?.token).toBe('a-long-secret')
    expect(faults('tokens: [{ name: a, token: ${file:./none.txt} }]')[0]).toContain('there is no such file')
  })
})

describe('syntax', () => {
  test.each([
    ['a unclosed bracket', 'server: { port: 1\naccount: home\n', 2],
    ['a tab', 'server:\n\tport: 1\n', 2],
    ['a missing space', 'server:\n  port:1\n  host: x\n', 2],
    ['two documents', 'account: home\n---\naccount: other\n', 2],
    ['two keys on a line', 'account: a: b\n', 1],
  ])('%s', (_, text, line) => {
    const found = faults(text)
    expect(found[0]).toStartWith(`${line}:`)
    expect(found[0]).toContain('not valid YAML: ')
  })

  test('faults before it are still told, those behind it are not', () => {
    const found = faults('log: { level: loud }\nserver: { port: 1\naccount: chat\n')
    expect(found[0]).toStartWith('1:15 log.level')
    expect(found).toHaveLength(2)
  })
})

describe('whatever the file holds, it is read or refused', () => {
  test('aliases without end', () => {
    expect(faults('gateways: &a { x: { <<: *a } }')[0]).toContain('an alias that holds itself')
    expect(faults('account: &a [*a]')[0]).toContain('an alias that holds itself')
    const bomb = Array.from({ length: 12 }, (_, level) => `  - &l${level + 1} [${`*l${level},`.repeat(9)}]`).join('\n')
    expect(faults(`account:\n  - &l0 [a]\n${bomb}`).join('\n')).toContain('more than 1000 aliases')
  })

  test('a file that is cut anywhere', () => {
    const text = exampleFile('pst_0123456789')
      .replace(/^#custom_providers:\n(?:#.*\n)+/m, block => block.replaceAll('#', ''))
      .replaceAll(' #', ' ')
    for (let end = 0; end < text.length; end += 13) {
      for (const line of faults(text.slice(0, end))) expect(line).toMatch(/^\d+:\d+/)
    }
  })

  test('a word of any other kind in the place of each', () => {
    for (const odd of ['{}', '[]', '1', 'true', 'null', '""', '{ a: { b: c } }', '[[x]]', '!t x', '${NONE:-}']) {
      for (const name of Object.keys(File.properties)) {
        for (const text of [
          `${name}: ${odd}`,
          `${name}: { a: ${odd} }`,
          `${name}: [${odd}]`,
          `${name}: { a: { keys: ${odd}, dialect: ${odd} } }`,
        ]) {
          for (const line of faults(text)) expect(line).toMatch(/^1:\d+/)
        }
      }
    }
  })
})

describe('secrets', () => {
  const secret = 'sk-very-secret-0123456789'
  test.each([
    ['a token of the wrong kind', `tokens: ${secret}`],
    ['a list of tokens', `tokens: [${secret}]`],
    ['a token with a space', `tokens: [{ name: a, token: '${secret} x' }]`],
    ['a key that slipped', `tokens: [{ name: a, token: long-enough, ${secret} }]`],
    ['permissions', `tokens: [{ name: a, token: long-enough, permissions: [${secret}] }]`],
    ['a key where a mapping is wanted', `providers: { openai: { keys: ${secret} } }`],
    ['a key in a list', `providers: { openai: { keys: { default: [${secret}] } } }`],
    ['headers', `providers: { openai: { headers: ${secret} } }`],
    ['a header on two lines', `providers: { openai: { headers: { authorization: "${secret}\\nx" } } }`],
    ['a password in an address', `providers: { openai: { base_url: "ftp://me:${secret}@host" } }`],
    ['a value from the environment', 'server: { port: ${SECRET} }'],
    ['a choice from the environment', 'log: { level: ${SECRET} }'],
    ['JSON that is cut short', `providers: { aws-bedrock: { keys: { default: '{"secretAccessKey":"${secret}' } } }`],
    ['a syntax error', `tokens: [{ name: a, token: "${secret}" ${secret}] }`],
    ['an escape', `tokens: [{ name: a, token: "\\${secret}" }]`],
    ['a broken reference', `tokens: [{ name: a, token: "\${${secret}" }]`],
    ['a default', `server: { port: "\${NONE:-${secret}}" }`],
  ])('%s is not repeated', (_, text) => {
    const found = faults(text, { SECRET: secret })
    expect(found.length).toBeGreaterThan(0)
    expect(found.join('\n')).not.toContain('very-secret')
  })
})

describe('warnings', () => {
  test('a short token', () => {
    expect(warnings('tokens: [{ name: a, token: short }]')).toEqual([
      '1:28 tokens.0.token: a token of fewer than 8 characters is easily guessed',
    ])
  })

  test('a gateway that a token names and the file does not', () => {
    const text = 'tokens: [{ name: a, token: long-enough, gateways: [default, tset] }]\ngateways: { test: {} }'
    expect(warnings(text)).toEqual(['1:61 tokens.0.gateways.1: the file declares no gateway of this name'])
  })

  test('settings without effect so far, and only where they ask for something', () => {
    const asking = {
      guardrails: '{ prompt: { P1: BLOCK } }',
      dlp: '{ action: FLAG, profiles: [a] }',
      zdr: 'true',
    }
    for (const [name, value] of Object.entries(asking)) {
      expect(warnings(`gateways: { a: { ${name}: ${value} } }`)).toEqual([
        `1:18 gateways.a.${name}: accepted, but has no effect yet in this version`,
      ])
    }
    const quiet = 'cache_ttl: 0, rate_limiting_limit: null, retry_max_attempts: 3, byok_only: false, collect_logs: true'
    expect(
      warnings(`gateways: { a: { ${quiet}, otel: [], guardrails: {}, spend_limits: { enabled: false } } }`),
    ).toEqual([])
  })

  test('a tag that YAML does not know', () => {
    expect(warnings('account: !mine home')[0]).toContain('a tag ("!name") that is not known')
  })
})

describe('which file', () => {
  const write = (name: string, account: string) => writeFileSync(join(folder, name), `account: ${account}\n`)
  const accountOf = (options: { path?: string; env?: Env }) =>
    loadConfig({ folder, env: options.env ?? {}, ...(options.path ? { path: options.path } : {}) }).config.accounts[0]

  test('named, then POSTERN_CONFIG, then postern.yaml, then postern.yml, then none', () => {
    expect(accountOf({})).toBe('home')
    write('postern.yml', 'yml')
    expect(accountOf({})).toBe('yml')
    write('postern.yaml', 'yaml')
    expect(accountOf({})).toBe('yaml')
    write('other.yaml', 'other')
    expect(accountOf({ env: { POSTERN_CONFIG: 'other.yaml' } })).toBe('other')
    expect(accountOf({ path: join(folder, 'postern.yml'), env: { POSTERN_CONFIG: 'other.yaml' } })).toBe('yml')
  })

  test('a named one that is not there is a fault', () => {
    const missing = () => loadConfig({ folder, path: 'nowhere.yaml', env: {} })
    expect(missing).toThrow('nowhere.yaml: cannot read the configuration: there is no such file')
    expect(() => loadConfig({ folder, env: { POSTERN_CONFIG: 'none.yaml' } })).toThrow('none.yaml: cannot read')
    expect(() => loadConfig({ folder, path: '.', env: {} })).toThrow('it is a folder')
  })

  test('one that is not UTF-8 is a fault', () => {
    writeFileSync(join(folder, 'other.yaml'), Buffer.from([0x61, 0x3a, 0x20, 0xff, 0xfe]))
    expect(() => loadConfig({ folder, path: 'other.yaml', env: {} })).toThrow('it is not UTF-8 text')
  })
})
