/** A certificate authority of the test's own, by the openssl command. */
import { spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { isIP } from 'node:net'
import { join } from 'node:path'
import type { Scope } from './scope.ts'

export interface CertificateFiles {
	readonly certFile: string
	readonly keyFile: string
}

export interface CertificateAuthority {
	/** What a program is told to trust, by `NODE_EXTRA_CA_CERTS` or `RELAY_CA`. */
	readonly caFile: string
	/** Signs a key pair for these names and addresses; given files are replaced. */
	issue(names: readonly string[], into?: CertificateFiles): CertificateFiles
}

export function createCertificateAuthority(scope: Scope, name = 'Test CA'): CertificateAuthority {
	const folder = join(scope.folder, `ca-${randomBytes(3).toString('hex')}`)
	mkdirSync(folder)
	const [caFile, caKey] = [join(folder, 'ca.pem'), join(folder, 'ca.key')]
	openssl('req', '-x509', ...KEY, '-days', '2', '-subj', `/CN=${name}`, '-keyout', caKey, '-out', caFile)
	return {
		caFile,
		issue(names, into) {
			const id = randomBytes(4).toString('hex')
			const files = into ?? { certFile: join(folder, `${id}.pem`), keyFile: join(folder, `${id}.key`) }
			const [request, extensions] = [join(folder, `${id}.csr`), join(folder, `${id}.ext`)]
			const alternatives = names.map((item) => `${isIP(item) === 0 ? 'DNS' : 'IP'}:${item}`)
			writeFileSync(extensions, `subjectAltName=${alternatives.join(',')}\nextendedKeyUsage=serverAuth\n`)
			openssl('req', ...KEY, '-subj', `/CN=${names[0] ?? 'relay'}`, '-keyout', files.keyFile, '-out', request)
			const signer = ['-CA', caFile, '-CAkey', caKey, '-set_serial', `0x${id}`, '-extfile', extensions]
			openssl('x509', '-req', '-in', request, ...signer, '-days', '2', '-out', files.certFile)
			return files
		},
	}
}

const KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'] as const

function openssl(...args: readonly string[]): void {
	const done = spawnSync('openssl', args, { encoding: 'utf8' })
	if (done.status !== 0) throw new Error(`openssl ${args.join(' ')} failed: ${done.stderr || done.error?.message}`)
}
