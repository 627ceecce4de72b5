/** A real nginx that ends TLS before a relay, with nothing of the system's configuration. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import type { CertificateFiles } from './certificates.ts'
import { type Child, startChild } from './child.ts'
import type { Scope } from './scope.ts'
import { waitFor } from './wait.ts'

export interface NginxOptions {
	readonly port: number
	readonly tls: CertificateFiles
	/** The `location` blocks, as a person writes them. */
	readonly locations: string
}

export async function startNginx(scope: Scope, options: NginxOptions): Promise<Child> {
	const folder = join(scope.folder, 'nginx')
	mkdirSync(folder)
	const config = join(folder, 'nginx.conf')
	writeFileSync(config, configText(folder, options))
	const child = startChild(scope, '/usr/sbin/nginx', ['-e', 'stderr', '-p', folder, '-c', config], { name: 'nginx' })
	await waitFor('nginx to answer', async () => {
		if (!child.isRunning()) throw new Error(`nginx ended: ${child.stderr()}`)
		return !(await isFree(options.port))
	})
	return child
}

function isFree(port: number): Promise<boolean> {
	return new Promise((resolve) => {
		const socket = connect(port, '127.0.0.1')
		socket.once('connect', () => {
			socket.destroy()
			resolve(false)
		})
		socket.once('error', () => resolve(true))
	})
}

function configText(folder: string, { port, tls, locations }: NginxOptions): string {
	const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
		(name) => `	${name}_temp_path ${join(folder, name)};`,
	)
	return [
		'daemon off;',
		'worker_processes 1;',
		`pid ${join(folder, 'pid')};`,
		...(process.getuid?.() === 0 ? ['user root;'] : []),
		'events { worker_connections 512; }',
		'http {',
		'	access_log off;',
		...temporary,
		'	server {',
		`		listen 127.0.0.1:${port} ssl;`,
		`		ssl_certificate ${tls.certFile};`,
		`		ssl_certificate_key ${tls.keyFile};`,
		locations,
		'	}',
		'}',
		'',
	].join('\n')
}
