// The preview's server and a browser on it, for the scripts beside this file.
import { join } from 'node:path'
import { chromium } from 'playwright-core'
import { createServer } from 'vite'

const FLAGS = [
	'--no-sandbox',
	'--disable-gpu',
	'--disable-quic',
	'--no-first-run',
	'--disable-background-networking',
	'--disable-component-update',
	'--disable-sync',
]

export async function openPreview() {
	const server = await createServer({
		root: join(import.meta.dirname, '../..'),
		server: { port: 0, host: '127.0.0.1' },
		logLevel: 'error',
	})
	await server.listen()
	const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: FLAGS })
	return {
		base: server.resolvedUrls?.local[0] ?? '',
		async open({ theme, width, height }) {
			const context = await browser.newContext({
				viewport: { width, height },
				colorScheme: theme,
				hasTouch: width < 500,
				permissions: ['clipboard-read', 'clipboard-write'],
			})
			const page = await context.newPage()
			page.setDefaultTimeout(4000)
			page.on('pageerror', (error) => console.error(error.message))
			page.on('console', (message) => message.type() === 'error' && console.error(message.text()))
			return { page, close: () => context.close() }
		},
		async close() {
			await browser.close()
			await server.close()
		},
	}
}
