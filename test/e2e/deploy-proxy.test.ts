/** A relay behind nginx, which ends TLS and serves it below a path, and a relay that ends TLS itself. */
import { request as httpRequest } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { connect } from 'node:tls'
import { beforeAll, describe, expect, it } from 'vitest'
import { OWNER } from './cli-world.ts'
import {
	type CertificateAuthority,
	createCertificateAuthority,
	createHome,
	freePort,
	type Home,
	launchChromium,
	openPerson,
	type RelayProcess,
	type Settings,
	sally,
	startNginx,
	startRelay,
	startSally,
	useScope,
	waitFor,
} from './harness/index.ts'
import { readableTerminals, setUpInPage, typeLine, waitForTerminal } from './web-world.ts'

const scope = useScope()
let ca: CertificateAuthority

beforeAll(() => {
	ca = createCertificateAuthority(scope)
})

const trusting = (): Settings => ({ NODE_EXTRA_CA_CERTS: ca.caFile, RELAY_CA: ca.caFile })

async function signIn(url: string, name: string): Promise<Home> {
	const home = createHome(scope, name)
	const args = ['login', url, '--email', OWNER.email, '--password-stdin']
	const ran = await sally(scope, home, args, { input: OWNER.password, env: trusting() })
	if (ran.status !== 0) throw new Error(ran.stderr)
	scope.defer(async () => void (await sally(scope, home, ['logout'], { env: trusting() })))
	return home
}

/** Adds a machine from the command line, and gives what `exec` says there. */
async function addAndRun(laptop: Home, name: string): Promise<string> {
	const adding = startSally(scope, laptop, ['add', name], trusting())
	const [, text = ''] = await adding.waitForOutput(/sally agent join (\S+)/)
	const machine = createHome(scope, `machine-${name}`)
	startSally(scope, machine, ['agent', 'join', '--yes', text], { ...trusting(), PORT: '0', NODE_NAME: name })
	expect(await adding.exited).toEqual({ status: 0, signal: null })
	const ran = await sally(scope, laptop, ['exec', name, '--', 'echo', 'through'], { env: trusting() })
	expect(ran.stderr).toBe('')
	return ran.stdout
}

describe('behind nginx, below a path', () => {
	let url: string
	let inner: string
	let relay: RelayProcess

	beforeAll(async () => {
		const [port, innerPort] = [await freePort(), await freePort()]
		inner = `http://127.0.0.1:${innerPort}`
		url = `https://127.0.0.1:${port}/sally`
		relay = await startRelay(scope, createHome(scope, 'relay-behind'), {
			PUBLIC_URL: url,
			APP_MODE: 'production',
			HOST: '127.0.0.1',
			PORT: String(innerPort),
			ACCESS_CONTROL_ALLOW_ORIGIN: new URL(url).origin,
			IP_SOURCE: 'XForwardedFor',
			TRUSTED_PROXIES: '127.0.0.1',
			NEW_LINKS_PER_MINUTE: '1000',
		})
		await startNginx(scope, {
			port,
			tls: ca.issue(['127.0.0.1']),
			locations: `
		location /sally/ {
			proxy_pass ${inner};
			proxy_http_version 1.1;
			proxy_set_header Host $http_host;
			proxy_set_header Upgrade $http_upgrade;
			proxy_set_header Connection "upgrade";
			proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
			proxy_buffering off;
			proxy_read_timeout 120s;
		}`,
		})
	})

	it('serves page, machine and terminal through it, to the page and to the command line', async () => {
		const browser = await launchChromium(scope)
		const { page } = await openPerson(scope, browser, { ignoreHTTPSErrors: true })
		await readableTerminals(page)
		await setUpInPage(page, relay.link)
		await page.getByRole('heading', { name: 'Machines' }).waitFor()
		await page.getByRole('button', { name: 'Add machine' }).first().click()
		const line = (await page.getByLabel('Join command').textContent()) ?? ''
		const args = ['agent', 'join', '--yes', line.split(' ').at(-1) ?? '']
		startSally(scope, createHome(scope, 'behind'), args, { ...trusting(), PORT: '0', NODE_NAME: 'behind' })
		await page.getByText('behind joined and is paired').waitFor({ timeout: 20_000 })
		await page.getByRole('dialog').getByRole('button', { name: 'Open terminal' }).click()
		await waitForTerminal(page, /\$|#/)
		await typeLine(page, 'echo below-$((40+2))')
		await waitForTerminal(page, /below-42/)
		const laptop = await signIn(url, 'laptop-behind')
		expect(await addAndRun(laptop, 'second')).toBe('through\n')
	})

	it('tells people by the address that the proxy gives, and believes nobody else’s headers', async () => {
		const forged = { 'x-forwarded-for': '203.0.113.77', forwarded: 'for=203.0.113.77' }
		await login(url, 'through the proxy', { from: '127.0.0.2', headers: forged })
		const token = await login(inner, 'past the proxy', { from: '127.0.0.3', headers: forged })
		const { sessions } = (await ask(`${url}/api/access-sessions`, { token })) as {
			sessions: { device_name: string; address: string }[]
		}
		const addressOf = (name: string) => sessions.find((session) => session.device_name === name)?.address
		expect(addressOf('through the proxy')).toBe('127.0.0.2')
		expect(addressOf('past the proxy')).toBe('127.0.0.3')
	})
})

describe('with certificate and key of its own', () => {
	it('takes machines and people over wss, and a new certificate without cutting what is open', async () => {
		const files = ca.issue(['127.0.0.1'])
		const relay = await startRelay(scope, createHome(scope, 'relay-tls'), {
			TLS_CERT: files.certFile,
			TLS_KEY: files.keyFile,
			NEW_LINKS_PER_MINUTE: '1000',
		})
		expect(relay.url).toMatch(/^https:/)
		const port = Number(new URL(relay.url).port)
		const before = await serialOf(port)
		const { email, username, password } = OWNER
		const body = { setup_secret: relay.setupSecret, email, username, password }
		await ask(`${relay.url}/api/setup`, { body, headers: { origin: relay.url, 'x-sallyport-csrf': '1' } })
		const laptop = await signIn(relay.url, 'laptop-tls')
		expect(await addAndRun(laptop, 'over-tls')).toBe('through\n')
		const open = startSally(scope, laptop, ['exec', 'over-tls', '--', 'cat'], trusting())
		open.write('before\n')
		await open.waitForOutput(/before/)
		ca.issue(['127.0.0.1'], files)
		const after = await waitFor('the new certificate', async () => {
			const serial = await serialOf(port)
			return serial !== before && serial
		})
		expect(after).not.toBe(before)
		open.write('after\n')
		await open.waitForOutput(/before\nafter/)
		open.endInput()
		expect(await open.exited).toEqual({ status: 0, signal: null })
	})

	it('is refused by a command line that does not know its authority, in one sentence', async () => {
		const files = ca.issue(['127.0.0.1'])
		const relay = await startRelay(scope, createHome(scope, 'relay-unknown'), {
			TLS_CERT: files.certFile,
			TLS_KEY: files.keyFile,
		})
		const ran = await sally(
			scope,
			createHome(scope, 'stranger'),
			['login', relay.url, '--email', OWNER.email, '--password-stdin'],
			{
				input: OWNER.password,
			},
		)
		expect(ran.status).not.toBe(0)
		expect(ran.stderr).toMatch(/^sally: .*(certificate|NODE_EXTRA_CA_CERTS).*\n$/)
	})
})

function serialOf(port: number): Promise<string> {
	return new Promise((resolve, reject) => {
		const socket = connect({ host: '127.0.0.1', port, rejectUnauthorized: false }, () => {
			resolve(socket.getPeerCertificate().serialNumber)
			socket.destroy()
		})
		socket.once('error', reject)
	})
}

interface Question {
	readonly body?: object
	readonly token?: string
	readonly headers?: Readonly<Record<string, string>>
	/** The address to ask from. */
	readonly from?: string
}

async function login(base: string, deviceName: string, question: Question): Promise<string> {
	const body = { email: OWNER.email, password: OWNER.password, device_name: deviceName }
	const { token } = (await ask(`${base}/api/cli/login`, { ...question, body })) as { token: string }
	return token
}

/** One request, from the address and with the headers that the test wants; who answers is checked elsewhere. */
function ask(address: string, { body, token, headers = {}, from }: Question): Promise<unknown> {
	const send = address.startsWith('https:') ? httpsRequest : httpRequest
	const all = {
		...(body === undefined ? {} : { 'content-type': 'application/json' }),
		...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
		...headers,
	}
	const options = { method: body === undefined ? 'GET' : 'POST', headers: all, rejectUnauthorized: false }
	return new Promise((resolve, reject) => {
		const request = send(address, { ...options, ...(from === undefined ? {} : { localAddress: from }) }, (response) => {
			let text = ''
			response.setEncoding('utf8').on('data', (chunk: string) => {
				text += chunk
			})
			response.once('end', () => {
				const isGood = response.statusCode !== undefined && response.statusCode < 300
				if (isGood) resolve(JSON.parse(text))
				else reject(new Error(`${address}: ${response.statusCode} ${text}`))
			})
		})
		request.once('error', reject)
		request.end(body === undefined ? undefined : JSON.stringify(body))
	})
}
