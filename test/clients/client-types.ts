import ts from 'typescript-6'

/** The published types of Cloudflare's client, held against what really came. */
export interface ClientTypes {
  /** Every method below `client.aiGateway`, by its path from there: `logs.list`, `billing.topup.config.get`. */
  methods: readonly string[]
  /** Where a result, or one item of a list, is not of the type that the method promises; empty where it is. */
  faults(method: string, value: unknown): string[]
}

/** Reads the declarations of the installed package with the compiler itself. */
export function clientTypes(): ClientTypes {
  const path = Bun.resolveSync('cloudflare/resources/ai-gateway/ai-gateway', import.meta.dir).replace(
    /\.m?js$/,
    '.d.ts',
  )
  const program = ts.createProgram([path], {
    strict: true,
    skipLibCheck: true,
    noEmit: true,
    module: ts.ModuleKind.ESNext,
    moduleResolution: ts.ModuleResolutionKind.Bundler,
    types: [],
  })
  const checker = program.getTypeChecker()
  const file = program.getSourceFile(path)
  if (!file) throw new Error(`the client's types are not at ${path}`)
  const exported = checker.getExportsOfModule(checker.getSymbolAtLocation(file)!)
  const root = exported.find(({ name }) => name === 'AIGateway')!
  const results = new Map<string, ts.Type>()

  const walk = (resource: ts.Type, above: string) => {
    for (const member of resource.getProperties()) {
      if (member.name.startsWith('_')) continue
      const type = checker.getTypeOfSymbol(member)
      const [signature] = type.getCallSignatures()
      if (!signature) walk(type, `${above}${member.name}.`)
      else {
        const promise = checker.getReturnTypeOfSignature(signature)
        const [first, item] = promise.aliasTypeArguments ?? checker.getTypeArguments(promise as ts.TypeReference)
        results.set(above + member.name, (item ?? first)!)
      }
    }
  }
  walk(checker.getDeclaredTypeOfSymbol(root), '')

  const faultsIn = (type: ts.Type, value: unknown, at: string): string[] => {
    if (type.flags & (ts.TypeFlags.Any | ts.TypeFlags.Unknown)) return []
    if (type.isUnion()) {
      const tries = type.types.map(one => faultsIn(one, value, at))
      if (tries.some(faults => !faults.length)) return []
      // The nearest of them says the most.
      return tries.reduce((best, faults) => (faults.length < best.length ? faults : best))
    }
    const wrong = [`${at}: ${JSON.stringify(value)} is no ${checker.typeToString(type)}`]
    if (type.isIntersection()) return type.types.flatMap(one => faultsIn(one, value, at))
    if (type.isStringLiteral() || type.isNumberLiteral()) return value === type.value ? [] : wrong
    if (type.flags & ts.TypeFlags.BooleanLiteral) return String(value) === checker.typeToString(type) ? [] : wrong
    if (type.flags & ts.TypeFlags.String) return typeof value === 'string' ? [] : wrong
    if (type.flags & ts.TypeFlags.Number) return typeof value === 'number' ? [] : wrong
    if (type.flags & ts.TypeFlags.Null) return value === null ? [] : wrong
    if (type.flags & (ts.TypeFlags.Undefined | ts.TypeFlags.Void)) return value === undefined ? [] : wrong
    if (checker.isArrayType(type)) {
      const [item] = checker.getTypeArguments(type as ts.TypeReference)
      return Array.isArray(value) ? value.flatMap((one, index) => faultsIn(item!, one, `${at}[${index}]`)) : wrong
    }
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return wrong
    const given = value as Record<string, unknown>
    const known = type.getProperties().flatMap(member => {
      const isLeftOut = given[member.name] === undefined
      if (isLeftOut && member.flags & ts.SymbolFlags.Optional) return []
      return faultsIn(checker.getTypeOfSymbol(member), given[member.name], `${at}.${member.name}`)
    })
    const others = type.getStringIndexType()
    return others
      ? [...known, ...Object.entries(given).flatMap(([name, one]) => faultsIn(others, one, `${at}.${name}`))]
      : known
  }
  return {
    methods: [...results.keys()],
    faults: (method, value) => faultsIn(results.get(method)!, value, method),
  }
}
