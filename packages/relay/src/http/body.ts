import { parseJson, parseWith } from '@sallyport/protocol'
import type * as v from 'valibot'
import { ApiFailure } from './failures.ts'
import type { ApiContext } from './ports.ts'

const MAX_BODY_BYTES = 64 * 1024

/** Reads a JSON body that came from outside: size first, while it comes in, then shape. Throws `ApiFailure`. */
export async function readBody<T>(context: ApiContext, schema: v.GenericSchema<unknown, T>): Promise<T> {
	const bytes = await readBytes(context.req.raw)
	if (bytes.length > 0 && !isJson(context.req.header('content-type')))
		throw new ApiFailure('bad_request', 'the body must be JSON, sent with the header content-type: application/json')
	const json = bytes.length === 0 ? { ok: true as const, value: {} } : parseJson(bytes, MAX_BODY_BYTES)
	const parsed = json.ok ? parseWith(schema, json.value) : json
	if (!parsed.ok) throw new ApiFailure('bad_request', `the request can't be read: ${parsed.error.detail}`)
	return parsed.value
}

function isJson(contentType: string | undefined): boolean {
	return contentType !== undefined && /^application\/json\s*(;|$)/i.test(contentType)
}

async function readBytes(request: Request): Promise<Uint8Array> {
	const tooLarge = () =>
		new ApiFailure('too_large', `the body is larger than ${MAX_BODY_BYTES / 1024} KiB, the most that this interface takes`)
	if (Number(request.headers.get('content-length') ?? 0) > MAX_BODY_BYTES) throw tooLarge()
	if (request.body === null) return new Uint8Array(0)
	// Safe: a body's chunks are bytes (WHATWG Fetch); Node's types leave them open.
	const chunks: Uint8Array[] = []
	let length = 0
	for await (const chunk of request.body as AsyncIterable<Uint8Array>) {
		length += chunk.byteLength
		// A body without a declared length may be endless.
		if (length > MAX_BODY_BYTES) throw tooLarge()
		chunks.push(chunk)
	}
	return Buffer.concat(chunks)
}
