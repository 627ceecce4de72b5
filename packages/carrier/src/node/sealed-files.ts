import { createCipheriv, createDecipheriv, hkdfSync, randomBytes, scrypt } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { PrivateDirectory } from './secure-files.ts'
import { readPrivateFile, SecureFileError } from './secure-files.ts'

/** Where the key that seals this folder's secrets comes from. `key_file` protects against copying one file, no more. */
export type SealingSource = 'credential' | 'passphrase' | 'key_file'

/** Seals secrets for the disk by AES-256-GCM. */
export interface SealingKey {
	readonly source: SealingSource
	/** `purpose` is bound to the text: what was sealed for one purpose opens for no other. */
	seal(purpose: string, plain: Uint8Array): Uint8Array
	/** Undefined: altered, truncated, or sealed by another key. */
	open(purpose: string, sealed: Uint8Array): Uint8Array | undefined
}

export interface SealingKeyOptions {
	readonly directory: PrivateDirectory
	/** systemd's `$CREDENTIALS_DIRECTORY`: a file `sallyport-key` in it comes first. */
	readonly credentialsDirectory?: string
	/** A private file that holds a passphrase: comes second. */
	readonly passphraseFile?: string
}

const CREDENTIAL_NAME = 'sallyport-key'
const KEY_FILE = 'sealing.key'
const SALT_FILE = 'sealing.salt'
const KEY_BYTES = 32
const NONCE_BYTES = 12
const TAG_BYTES = 16
const MAGIC = Buffer.from('SLYSEAL1')
const SECRET_MAX_BYTES = 4096
/** 128 MiB and about a third of a second: once at start. */
const SCRYPT = { N: 2 ** 17, r: 8, p: 1, maxmem: 256 * 1024 * 1024 }

/**
 * Finds or makes the folder's sealing key: systemd credential, else passphrase, else a key file in the folder.
 *
 * @throws {SecureFileError} for a credential or passphrase that is named but isn't there, and all of `openPrivateDirectory`
 */
export async function loadSealingKey(options: SealingKeyOptions): Promise<SealingKey> {
	const { directory } = options
	if (options.credentialsDirectory !== undefined) {
		const secret = await readCredential(join(options.credentialsDirectory, CREDENTIAL_NAME))
		if (secret !== undefined)
			return sealingKey('credential', Buffer.from(hkdfSync('sha256', secret, '', 'sallyport-sealing', KEY_BYTES)))
	}
	if (options.passphraseFile !== undefined) {
		const text = await readPrivateFile(options.passphraseFile, SECRET_MAX_BYTES)
		const passphrase = text === undefined ? '' : Buffer.from(text).toString().trimEnd()
		if (passphrase === '') {
			throw new SecureFileError('sealing_key_missing', options.passphraseFile, `${options.passphraseFile} holds no passphrase`)
		}
		return sealingKey('passphrase', await stretch(passphrase, await findOrMake(directory, SALT_FILE, 16)))
	}
	return sealingKey('key_file', Buffer.from(await findOrMake(directory, KEY_FILE, KEY_BYTES)))
}

function sealingKey(source: SealingSource, key: Buffer): SealingKey {
	const associated = (purpose: string): Buffer => Buffer.concat([MAGIC, Buffer.from(purpose)])
	return {
		source,
		seal(purpose, plain) {
			const nonce = randomBytes(NONCE_BYTES)
			const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(associated(purpose))
			const body = Buffer.concat([cipher.update(plain), cipher.final()])
			return new Uint8Array(Buffer.concat([MAGIC, nonce, body, cipher.getAuthTag()]))
		},
		open(purpose, sealed) {
			const bytes = Buffer.from(sealed)
			const bodyStart = MAGIC.length + NONCE_BYTES
			if (bytes.length < bodyStart + TAG_BYTES || !bytes.subarray(0, MAGIC.length).equals(MAGIC)) return undefined
			const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(MAGIC.length, bodyStart), { authTagLength: TAG_BYTES })
			decipher.setAAD(associated(purpose)).setAuthTag(bytes.subarray(-TAG_BYTES))
			try {
				return new Uint8Array(Buffer.concat([decipher.update(bytes.subarray(bodyStart, -TAG_BYTES)), decipher.final()]))
			} catch {
				// The one failure of an open is that the tag doesn't fit.
				return undefined
			}
		},
	}
}

async function findOrMake(directory: PrivateDirectory, name: string, byteCount: number): Promise<Uint8Array> {
	const found = await directory.read(name, SECRET_MAX_BYTES)
	if (found !== undefined && found.length === byteCount) return found
	// A key of the wrong length opens nothing: what it sealed will be found unreadable and set aside in its turn.
	if (found !== undefined) await directory.setAside(name)
	const made = new Uint8Array(randomBytes(byteCount))
	await directory.replace(name, made)
	return made
}

/** systemd makes credentials for one unit alone; root may own the file, so the owner rule of private files doesn't fit. */
async function readCredential(path: string): Promise<Uint8Array | undefined> {
	try {
		return new Uint8Array(await readFile(path))
	} catch (error) {
		if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
		throw error
	}
}

function stretch(passphrase: string, salt: Uint8Array): Promise<Buffer> {
	return new Promise((resolve, reject) => {
		scrypt(passphrase.normalize('NFC'), salt, KEY_BYTES, SCRYPT, (error, key) => (error === null ? resolve(key) : reject(error)))
	})
}
