import { Unsupported } from '../../conversation/errors.ts'
import type { AudioPart, FilePart, ImagePart } from '../../conversation/parts.ts'
import { mediaTypeOf } from '../media-types.ts'
import type { WirePart } from './types.ts'

const FILES_API = 'https://generativelanguage.googleapis.com/v1beta/'

/**
 * A picture, a sound or a document as a part: bytes inline, addresses as file data, which Google fetches itself.
 *
 * @param path of the part in the caller's request, for the refusal
 * @throws Unsupported for the file id of another vendor
 */
export function mediaPart(part: ImagePart | AudioPart | FilePart, path: string): WirePart {
  const { source } = part
  if (source.kind === 'text') return { text: source.text }
  if (source.kind === 'base64')
    return { inlineData: { mimeType: bytesType(part, source.mediaType), data: source.data } }
  if (source.kind === 'url') {
    const mimeType = source.mediaType ?? addressType(source.url) ?? (part.type === 'image' ? 'image/jpeg' : undefined)
    return { fileData: { ...(mimeType && { mimeType }), fileUri: source.url } }
  }
  const fileUri = googleFile(source.id)
  if (!fileUri)
    throw new Unsupported(path, 'Gemini knows only files of its own: give the bytes, an address or a Files URI')
  const mimeType = part.type === 'file' ? addressType(part.filename ?? '') : undefined
  return { fileData: { ...(mimeType && { mimeType }), fileUri } }
}

/** OpenAI's short names of audio formats differ from Gemini's media types in one case. */
function bytesType(part: ImagePart | AudioPart | FilePart, mediaType: string): string {
  if (part.type === 'audio') return mediaTypeOf(part.format ?? '') ?? (mediaType || `audio/${part.format ?? 'wav'}`)
  if (mediaType && mediaType !== 'application/octet-stream') return mediaType
  return (
    (part.type === 'file' ? addressType(part.filename ?? '') : undefined) ?? (mediaType || 'application/octet-stream')
  )
}

function addressType(address: string): string | undefined {
  if (/^https?:\/\/(?:www\.youtube\.com\/|youtu\.be\/)/.test(address)) return 'video/mp4'
  return mediaTypeOf(address.split(/[?#]/)[0] ?? '')
}

/** A file of the Files API, by address or by name, or one in Google's own storage. */
function googleFile(id: string): string | undefined {
  if (/^files\/[\w-]+$/.test(id)) return FILES_API + id
  return id.startsWith('gs://') || /^https:\/\/generativelanguage\.googleapis\.com\/.*files\//.test(id) ? id : undefined
}
