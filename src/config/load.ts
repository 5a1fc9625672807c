import { existsSync, readFileSync, statSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { buildConfig } from './build.ts'
import { linesOf } from './declared.ts'
import { type FromEnvironment, readEnvironment } from './environment.ts'
import { schemaFaults } from './faults.ts'
import { fit } from './fit.ts'
import { notYetWarnings } from './not-yet.ts'
import { readYaml } from './positions.ts'
import { ConfigError, type Problem, sortProblems } from './problems.ts'
import { type Environment, unreadable } from './references.ts'
import { checkRules } from './rules.ts'
import { type Config, File } from './schema.ts'
import { isObject, shapeOf } from './shape.ts'

export interface LoadOptions {
  /** The file; without it `$POSTERN_CONFIG`, then `./postern.yaml`, then `./postern.yml`, then no file at all. */
  path?: string | undefined
  env: Environment
  /** The slugs that may stand under `providers`; any may when it is empty or left out. */
  knownProviders?: readonly string[]
  /** Where `./postern.yaml` is looked for; the working folder when left out. */
  folder?: string
}

export interface Loaded {
  config: Config
  /** Sorted by position; none of them keeps the configuration from being used. */
  warnings: Problem[]
}

const usualNames = ['postern.yaml', 'postern.yml']

interface Place {
  /** As a person named it, for messages. */
  name: string
  path: string
}

/** The file to read: named ones are taken at their word, usual ones only when they are there. */
function findFile({ path, env, folder = process.cwd() }: LoadOptions): Place | undefined {
  const named = path ?? (env.POSTERN_CONFIG || undefined)
  if (named !== undefined) return { name: named, path: resolve(folder, named) }
  const usual = usualNames.find(name => existsSync(resolve(folder, name)))
  return usual === undefined ? undefined : { name: usual, path: resolve(folder, usual) }
}

function readText({ name, path }: Place): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(path))
  } catch (error) {
    const why = error instanceof TypeError ? 'it is not UTF-8 text' : unreadable(error)
    throw new ConfigError([{ file: name, path: '', message: `cannot read the configuration: ${why}` }])
  }
}

/** It may have been taken away since it was read. */
function modifiedAt({ path }: Place): number {
  return Math.floor(statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? Date.now())
}

function parse(text: string, place: Place, options: LoadOptions, environment: FromEnvironment): Loaded {
  const known = options.knownProviders ?? []
  const reading = readYaml(text, { env: options.env, folder: dirname(place.path) })
  const problems = reading.problems
  const warnings = reading.warnings
  let value = reading.value ?? {}
  if (isObject(value)) {
    fit(shapeOf(File), value, '', reading)
    const rules = checkRules(value, reading, known)
    const further = [...schemaFaults(File, value, reading), ...rules.problems]
    // Behind a fault of syntax the file may mean something else than what was read.
    const { brokenFrom = Number.POSITIVE_INFINITY } = reading
    problems.push(...further.filter(problem => (problem.line ?? 0) < brokenFrom))
    warnings.push(...rules.warnings, ...notYetWarnings(value, reading))
  } else {
    problems.push({ ...reading.at(''), path: '', message: 'expected a mapping of settings at the top of the file' })
    value = {}
  }
  const inFile = (problem: Problem): Problem => ({ file: place.name, ...problem })
  if (problems.length) throw new ConfigError(problems.map(inFile))
  // The schema has found nothing wrong with it, so it is a File.
  const config = buildConfig(value as File, environment, known, place.path)
  config.declared = { modified: modifiedAt(place), lines: linesOf(value as File, reading) }
  return { config, warnings: warnings.map(inFile) }
}

/**
 * Reads the configuration: the file where there is one, the environment beside it (see environment.ts), defaults for
 * the rest. It is read whole or not at all: a caller that reloads keeps the old one when this throws.
 *
 * @throws ConfigError with every fault of the file, sorted by position
 */
export function loadConfig(options: LoadOptions): Loaded {
  const environment = readEnvironment(options.env)
  const place = findFile(options)
  const loaded = place
    ? parse(readText(place), place, options, environment)
    : { config: buildConfig({}, environment, options.knownProviders ?? []), warnings: [] }
  return { config: loaded.config, warnings: sortProblems([...environment.warnings, ...loaded.warnings]) }
}
