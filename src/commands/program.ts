import { Command, InvalidArgumentError } from 'commander'
import { version } from './version.ts'

/** The exit code of a wrong command line. */
const wrongUsage = 2

const configOption = [
  '-c, --config <file>',
  'the configuration (default: $POSTERN_CONFIG, then ./postern.yaml)',
] as const

function portNumber(text: string): number {
  const port = Number(text)
  if (!/^\d+$/.test(text) || port > 65_535) throw new InvalidArgumentError('expected a number from 0 to 65535.')
  return port
}

function wholeNumber(text: string): number {
  const number = Number(text)
  if (!/^\d+$/.test(text) || number < 1 || !Number.isSafeInteger(number))
    throw new InvalidArgumentError('expected a whole number above 0.')
  return number
}

const examples = (...lines: string[]): string => `\nExamples:\n${lines.map(line => `  ${line}`).join('\n')}\n`

/**
 * The command line. What a command does is loaded only when it is called, so that `serve`, which stays in memory as the
 * supervisor, brings nothing else with it.
 *
 * @param done is given the exit code of the command that ran
 */
export function program(done: (code: number) => void): Command {
  const postern = new Command('postern')
    .description('A self-hosted AI gateway in one executable.')
    .version(version, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .helpCommand('help [command]', 'print the help of a command')
    .showHelpAfterError('(`postern --help` lists what there is)')
    .addHelpText(
      'after',
      examples(
        'postern                              start with ./postern.yaml, or without any file',
        'postern demo                         try it without any key',
        'postern init && postern check        write a configuration and check it',
        'postern token add laptop             make a token for a client',
        'postern key add openai               store the key of a provider',
        'postern logs tail --follow           see what comes',
        'postern explain <id>                 see what happened to a request',
      ),
    )

  const serving = (command: Command) =>
    command
      .option(...configOption)
      .option('-p, --port <number>', 'listen here instead of server.port; 0: any free port', portNumber)

  serving(postern.command('serve'))
    .description('run the gateway (the default)')
    .addHelpText(
      'after',
      examples('postern serve', 'postern serve --config /etc/postern/postern.yaml', 'postern serve --port 9000'),
    )
    .action(async options => done(await (await import('./serve.ts')).serveCommand(options)))

  serving(postern.command('demo'))
    .description('run the gateway with a provider of its own that needs no key')
    .addHelpText('after', examples('postern demo', 'postern demo --port 9000'))
    .action(async options => done(await (await import('./demo.ts')).demoCommand(options)))

  postern
    .command('check')
    .description('say what is wrong with the configuration, or what is in it')
    .option(...configOption)
    .addHelpText('after', examples('postern check', 'postern check --config /etc/postern/postern.yaml'))
    .action(async options => {
      const [{ checkCommand }, { providerSlugs }] = await Promise.all([
        import('./check.ts'),
        import('../providers/slugs.ts'),
      ])
      done(await checkCommand({ ...options, knownProviders: providerSlugs }))
    })

  postern
    .command('init')
    .description('write a configuration with comments to begin from')
    .argument('[file]', 'where to', 'postern.yaml')
    .option('-f, --force', 'write over a file that is there')
    .addHelpText('after', examples('postern init', 'postern init /etc/postern/postern.yaml'))
    .action(async (file: string, options) => done(await (await import('./init.ts')).initCommand(file, options)))

  postern
    .command('schema')
    .description('print the JSON Schema of the configuration, for editors')
    .addHelpText('after', examples('postern schema > postern.schema.json'))
    .action(async () => {
      const [{ schemaCommand }, { providerSlugs }] = await Promise.all([
        import('./schema.ts'),
        import('../providers/slugs.ts'),
      ])
      done(await schemaCommand({ knownProviders: providerSlugs }))
    })

  postern
    .command('openapi')
    .description('print the OpenAPI document of the gateway')
    .option('--yaml', 'as YAML instead of JSON')
    .option('-o, --out <file>', 'write it to a file')
    .addHelpText('after', examples('postern openapi > openapi.json', 'postern openapi --yaml --out openapi.yaml'))
    .action(async options => done(await (await import('./openapi.ts')).openapiCommand(options)))

  postern
    .command('backup')
    .description('copy the database while the gateway goes on')
    .argument('[file]', 'where to (default: postern-<time>.db)')
    .option(...configOption)
    .addHelpText('after', examples('postern backup', 'postern backup /mnt/nas/postern.db'))
    .action(async (file: string | undefined, options) =>
      done(await (await import('./backup.ts')).backupCommand(file, options)),
    )

  addTokenCommands(postern, done)
  addKeyCommands(postern, done)
  addCreditCommands(postern, done)
  addLogsCommands(postern, done)

  postern
    .command('version')
    .description('print the version and what it was built for')
    .action(async () => done(await (await import('./version.ts')).versionCommand()))

  return strict(postern)
}

function addTokenCommands(postern: Command, done: (code: number) => void): void {
  const token = postern
    .command('token')
    .description('make, list and remove the tokens of clients')
    .addHelpText('after', examples('postern token add laptop', 'postern token list', 'postern token remove laptop'))

  token
    .command('add')
    .description('make a token and print it once')
    .argument('<name>', 'shown in logs and records')
    .option('--permissions <list>', 'of run (call models), read (see records), edit (change settings)', 'run')
    .option('--gateways <list>', 'the gateways that it opens (default: all)')
    .option(...configOption)
    .addHelpText(
      'after',
      examples('postern token add laptop', 'postern token add ci --permissions run,read --gateways staging'),
    )
    .action(async (name: string, options) => done(await (await import('./token.ts')).tokenAddCommand(name, options)))

  token
    .command('list')
    .description('list the tokens, never their secrets')
    .option(...configOption)
    .action(async options => done(await (await import('./token.ts')).tokenListCommand(options)))

  token
    .command('remove')
    .description('remove a token; it opens nothing any more')
    .argument('<name>')
    .option(...configOption)
    .action(async (name: string, options) => done(await (await import('./token.ts')).tokenRemoveCommand(name, options)))
}

function addKeyCommands(postern: Command, done: (code: number) => void): void {
  const key = postern
    .command('key')
    .description('store, list and remove the keys of providers')
    .addHelpText('after', examples('postern key add openai', 'postern key list', 'postern key remove openai'))

  const named = (command: Command) =>
    command
      .argument('<provider>', 'openai, anthropic, custom-<name>, …')
      .option('--alias <name>', 'what clients call it in cf-aig-byok-alias', 'default')
      .option('--gateway <id>', 'the one gateway that may use it (default: all)')

  named(key.command('add'))
    .description('store a key, encrypted, or replace it; it is asked for, or read from standard input')
    .option('--default', 'it serves clients that name no alias')
    .option('--from-env <name>', 'take it from this variable')
    .option('--rate-limit <requests>', 'how often it may be used in a period', wholeNumber)
    .option('--rate-limit-period <seconds>', 'the period (default: 60)', wholeNumber)
    .option(...configOption)
    .addHelpText(
      'after',
      examples(
        'postern key add openai',
        'postern key add anthropic --alias research --from-env RESEARCH_KEY',
        'postern key add google-vertex-ai < service-account.json',
      ),
    )
    .action(async (provider: string, options) =>
      done(await (await import('./key.ts')).keyAddCommand(provider, options)),
    )

  key
    .command('list')
    .description('list the keys by their last characters')
    .option(...configOption)
    .action(async options => done(await (await import('./key.ts')).keyListCommand(options)))

  named(key.command('remove'))
    .description('remove a key; it serves nobody any more')
    .option(...configOption)
    .action(async (provider: string, options) =>
      done(await (await import('./key.ts')).keyRemoveCommand(provider, options)),
    )
}

function addCreditCommands(postern: Command, done: (code: number) => void): void {
  const credit = postern
    .command('credit')
    .description('top up and show the credit that callers use the house’s keys with')
    .addHelpText(
      'after',
      examples('postern credit add 25', 'postern credit add 5 --token laptop', 'postern credit list'),
    )

  const owned = (command: Command) =>
    command.option('--token <name>', 'of this token (default: of the account)').option(...configOption)

  owned(credit.command('add'))
    .description('add credit; an amount below zero takes away')
    .argument('<dollars>', 'US dollars')
    .option('--note <text>', 'shown in the history')
    .addHelpText('after', examples('postern credit add 25', 'postern credit add --note "too much" -- -5'))
    .action(async (dollars: string, options) =>
      done(await (await import('./credit.ts')).creditAddCommand(dollars, options)),
    )

  credit
    .command('list')
    .description('list the balances')
    .option(...configOption)
    .action(async options => done(await (await import('./credit.ts')).creditListCommand(options)))

  owned(credit.command('history'))
    .description('what was added, and what was used in the last day')
    .action(async options => done(await (await import('./credit.ts')).creditHistoryCommand(options)))
}

function addLogsCommands(postern: Command, done: (code: number) => void): void {
  const id = 'of a log (cf-aig-log-id), a request or an event'
  postern
    .command('explain')
    .description('say what happened to a request, and why')
    .argument('<id>', id)
    .option('--gateway <id>', 'look in this gateway only')
    .option('--json', 'as JSON, as the management API tells it')
    .option(...configOption)
    .addHelpText(
      'after',
      examples(
        'postern explain 019a9f0c-6f5e-7c3a-9d51-0a6b1a3f2e77',
        'postern explain 019a9f0c-6f5e-7c3a-9d51-0a6b1a3f2e77 --json',
      ),
    )
    .action(async (word: string, options) => done(await (await import('./explain.ts')).explainCommand(word, options)))

  const logs = postern
    .command('logs')
    .description('show, follow and export what is on record')
    .addHelpText(
      'after',
      examples('postern logs tail -f', 'postern logs show <id>', 'postern logs export --since 1d > day.ndjson'),
    )

  const filtered = (command: Command) =>
    command
      .option('--gateway <id>', 'of this gateway (default: all)')
      .option('--provider <slug>', 'of this provider')
      .option('--model <text>', 'whose model has this in its name')
      .option('--status <code>', '429, or 5xx for all that begin alike')
      .option('--token <name>', 'of this token')
      .option('--errors', 'only what failed')
      .option('--since <time>', '90s, 30m, 1h, 2d, 1w, or a time such as 2026-11-02T10:00')
      .option('--search <text>', 'with this text in the metadata')
      .option(...configOption)

  filtered(logs.command('tail'))
    .description('the last records, and with --follow those that come')
    .option('-n, --lines <number>', 'how many (default: 20)', wholeNumber)
    .option('-f, --follow', 'go on until Ctrl-C')
    .option('--json', 'as JSON, one in each line')
    .addHelpText('after', examples('postern logs tail -f', 'postern logs tail --errors --since 1h -n 100'))
    .action(async options => done(await (await import('./logs.ts')).logsTailCommand(options)))

  logs
    .command('show')
    .description('a record with its bodies')
    .argument('<id>', id)
    .option('--gateway <id>', 'look in this gateway only')
    .option('--json', 'as JSON')
    .option(...configOption)
    .action(async (word: string, options) => done(await (await import('./logs.ts')).logsShowCommand(word, options)))

  filtered(logs.command('export'))
    .description('records as JSON, one in each line')
    .option('-o, --out <file>', 'write it to a file')
    .option('--bodies', 'with the bodies')
    .addHelpText(
      'after',
      examples(
        'postern logs export --since 1d > day.ndjson',
        'postern logs export --bodies --token laptop -o laptop.ndjson',
      ),
    )
    .action(async options => done(await (await import('./logs.ts')).logsExportCommand(options)))
}

/** Every command throws instead of ending the process, and takes no word that it does not know. */
function strict(command: Command): Command {
  command.exitOverride().allowExcessArguments(false)
  for (const inner of command.commands) strict(inner)
  return command
}

/**
 * Runs the command line.
 *
 * @param words what follows the program's name
 * @returns the exit code
 */
export async function run(words: readonly string[]): Promise<number> {
  let code = 0
  const command = program(given => {
    code = given
  })
  // `serve` is the default; commander's own default would take a mistyped command for an argument of it.
  const onItsOwn = ['-h', '--help', '-V', '--version']
  const named = words[0] !== undefined && (!words[0].startsWith('-') || onItsOwn.includes(words[0]))
  try {
    await command.parseAsync(named ? words : ['serve', ...words], { from: 'user' })
    return code
  } catch (error) {
    // Commander has said what was wrong; `--help` and `--version` come this way too, with code 0.
    if (!(error instanceof Error) || !('exitCode' in error)) throw error
    return error.exitCode === 0 ? 0 : wrongUsage
  }
}
