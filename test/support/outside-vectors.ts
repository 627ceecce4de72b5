import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** Published test vectors of others, kept beside the project rather than in it. */
const FOLDER = fileURLToPath(new URL('../../../shared/vectors/', import.meta.url))

export interface NoiseVector {
	readonly protocol_name: string
	readonly init_prologue: string
	readonly init_psks?: readonly string[]
	readonly init_static: string
	readonly init_ephemeral: string
	readonly resp_static: string
	readonly resp_ephemeral: string
	readonly handshake_hash: string
	readonly messages: readonly { readonly payload: string; readonly ciphertext: string }[]
}

export interface X25519Vector {
	readonly tcId: number
	readonly public: string
	readonly private: string
	readonly shared: string
	readonly result: 'valid' | 'acceptable' | 'invalid'
	readonly flags: readonly string[]
}

/** Undefined when the vectors aren't there: the test then says so and is skipped. */
export function readNoiseVectors(): readonly NoiseVector[] | undefined {
	// The file's own format; a wrong shape fails the test that reads it.
	const parsed = readJson('noise/cacophony-25519-sha256.json') as { vectors: NoiseVector[] } | undefined
	return parsed?.vectors
}

export function readX25519Vectors(): readonly X25519Vector[] | undefined {
	const parsed = readJson('wycheproof/x25519_test.json') as { testGroups: { tests: X25519Vector[] }[] } | undefined
	return parsed?.testGroups.flatMap((group) => group.tests)
}

function readJson(name: string): unknown {
	const path = FOLDER + name
	return existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : undefined
}
