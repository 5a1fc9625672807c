import type { FilePart, ImagePart, Source } from '../../conversation/parts.ts'
import type { WireSource } from './types.ts'

const IMAGES: Record<string, string> = {
  'image/png': 'png',
  'image/jpeg': 'jpeg',
  'image/jpg': 'jpeg',
  'image/gif': 'gif',
  'image/webp': 'webp',
}

const OFFICE = 'application/vnd.openxmlformats-officedocument.'
const DOCUMENTS: Record<string, string> = {
  'application/pdf': 'pdf',
  'text/csv': 'csv',
  'application/msword': 'doc',
  [`${OFFICE}wordprocessingml.document`]: 'docx',
  'application/vnd.ms-excel': 'xls',
  [`${OFFICE}spreadsheetml.sheet`]: 'xlsx',
  'text/html': 'html',
  'text/markdown': 'md',
}
const EXTENSIONS = new Set(['pdf', 'csv', 'doc', 'docx', 'xls', 'xlsx', 'html', 'txt', 'md'])

const extension = (name = '') => /\.([a-z0-9]+)$/i.exec(name)?.[1]?.toLowerCase() ?? ''
const mediaTypeOf = (source: Source) =>
  ('mediaType' in source ? source.mediaType : undefined)?.split(';')[0]?.trim().toLowerCase() ?? ''
const isS3 = (source: Source): source is Extract<Source, { kind: 'url' }> =>
  source.kind === 'url' && source.url.startsWith('s3://')

/** The format of an image in Converse's words, or nothing where it takes no such image. */
export function imageFormat({ source }: ImagePart | FilePart): string | undefined {
  const named = isS3(source) ? extension(source.url).replace('jpg', 'jpeg') : ''
  return IMAGES[mediaTypeOf(source)] ?? (Object.values(IMAGES).includes(named) ? named : undefined)
}

/** The format of a document in Converse's words, or nothing where it takes no such document. */
export function documentFormat({ source, filename }: FilePart): string | undefined {
  const mediaType = mediaTypeOf(source)
  const known = DOCUMENTS[mediaType]
  if (known) return known
  const named = extension(filename) || (source.kind === 'url' ? extension(source.url) : '')
  if (EXTENSIONS.has(named)) return named
  return mediaType.startsWith('text/') || mediaType === 'application/json' || source.kind === 'text' ? 'txt' : undefined
}

/** Converse takes bytes or an address in S3, no other address and no file id. */
export function writeSource(source: Source): WireSource | undefined {
  if (isS3(source)) return { s3Location: { uri: source.url } }
  if (source.kind === 'base64') return { bytes: source.data }
  if (source.kind === 'text') return { bytes: Buffer.from(source.text, 'utf8').toString('base64') }
  return undefined
}

/**
 * Gives documents names of the alphabet that Converse takes, each its own within a request.
 * @see https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_DocumentBlock.html
 */
export function documentNamer(): (filename: string | undefined) => string {
  const taken = new Set<string>()
  return filename => {
    const plain = (filename ?? '').replace(/\.[a-z0-9]+$/i, '').replace(/[^a-zA-Z0-9\s()[\]-]+/g, '-')
    const base = plain.replace(/\s+/g, ' ').trim().slice(0, 190) || 'document'
    let name = base
    for (let again = 2; taken.has(name); again++) name = `${base} (${again})`
    taken.add(name)
    return name
  }
}
