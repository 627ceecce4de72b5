/** Names that a hostile machine or relay gives, in whatever shows them or builds a command of them. */
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { formatInvite } from '@sallyport/protocol'
import { afterEach, beforeAll, describe, expect, it } from 'vitest'
import { createHome, type Home, launchChromium, openPerson, type Ran, runChild, sally, useScope } from '../harness/index.ts'
import { ACCOUNT, type Machine, type Stand, startStand } from './stand.ts'

const scope = useScope()
let stand: Stand
let machine: Machine
let other: Machine
let laptop: Home
let marker: string

const command = (args: readonly string[], input = ''): Promise<Ran> => sally(scope, laptop, args, { input })

beforeAll(async () => {
	stand = await startStand(scope)
	machine = await stand.machine('box')
	other = await stand.machine('spare')
	laptop = createHome(scope, 'laptop')
	marker = join(scope.folder, 'pwned')
	expect(
		(await command(['login', stand.path.origin, '--email', ACCOUNT.email, '--password-stdin'], ACCOUNT.password)).status,
	).toBe(0)
	for (const each of [machine, other]) {
		const invite = formatInvite(await each.invite())
		expect((await command(['pair', '--invite', '--yes'], invite)).status).toBe(0)
	}
})
afterEach(() => {
	stand.path.tricks = {}
})

/** The relay calls the machine by another name, everywhere. */
function rename(nodeId: string, name: string): void {
	stand.path.tricks = {
		onAnswer: (path, body) => {
			if (path !== '/api/nodes') return undefined
			const answer = JSON.parse(body) as { nodes: { id: string; name: string }[] }
			return JSON.stringify({ ...answer, nodes: answer.nodes.map((node) => (node.id === nodeId ? { ...node, name } : node)) })
		},
	}
}

const NAMES: readonly (readonly [string, string])[] = [
	['quotes and a command', `x"; touch MARK; echo '`],
	['command substitution', '$(touch MARK) `touch MARK`'],
	['a line break and a directive', 'x\n\tProxyCommand touch MARK\nHost *\n\tProxyCommand touch MARK'],
	['a carriage return', 'x\r\tProxyCommand touch MARK'],
	['a leading dash', '-oProxyCommand=touch MARK'],
	['percent tokens', '%h %r %% %C'],
	['patterns', '* !good ?'],
	['escape sequences', '\u001b]0;owned\u0007\u001b[2J\u001b[31mred\u009b31m'],
	['OSC 52', '\u001b]52;c;dG91Y2ggTUFSSw==\u0007'],
	['direction marks', 'exe\u202egnp.box\u2066'],
	['HTML', '<img src=x onerror="fetch(1)"><script>document.title="owned"</script>'],
	['a path', '../../etc/passwd'],
	['a NUL', 'x\u0000y'],
]

const withMarker = (raw: string): string => raw.replaceAll('MARK', marker).slice(0, 128)

it('machines with hostile names are listed as plain text', async () => {
	stand.path.tricks = {
		onAnswer: (path, body) => {
			if (path !== '/api/nodes') return undefined
			const answer = JSON.parse(body) as { nodes: Listed[] }
			const [first] = answer.nodes
			const renamed = NAMES.map(([, raw], index) => ({
				...first,
				id: `${(first?.id ?? '').slice(0, -1)}${String.fromCharCode(97 + index)}`,
				name: withMarker(raw),
			}))
			return JSON.stringify({ ...answer, nodes: renamed })
		},
	}
	const listed = await command(['nodes'])
	expect(listed.status).toBe(0)
	expect(listed.stdout.trimEnd().split('\n')).toHaveLength(NAMES.length + 1)
	// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not come through
	expect(listed.stdout + listed.stderr).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/)
})

describe.each(NAMES.slice(0, 6))('a machine that is called by %s', (_what, raw) => {
	it('steers neither ssh, nor a shell, nor our own command line', async () => {
		rename(machine.agent.nodeId, withMarker(raw))
		const config = await command(['ssh-config'])
		expect(config.status).toBe(0)
		await judgeConfig(config.stdout)
		await command(['exec', '--no-share', withMarker(raw), '--', 'true'])
		await command(['--no-share', 'ssh', '--', withMarker(raw), 'true'])
		expect(existsSync(marker)).toBe(false)
	})
})

/** As OpenSSH itself understands it: the machine's own host has our command, every other host has none. */
async function judgeConfig(text: string): Promise<void> {
	const file = join(laptop.folder, 'ssh_config')
	writeFileSync(file, text)
	const understood = async (host: string): Promise<string> => {
		const ran = await runChild(scope, 'ssh', ['-G', '-F', file, host], { env: laptop.env })
		expect(ran.status).toBe(0)
		return ran.stdout
	}
	expect(await understood('innocent.example')).not.toMatch(/^proxycommand /m)
	const own = /^proxycommand (.*)$/m.exec(await understood(`sally-${machine.agent.nodeId}`))?.[1]
	expect(own).toMatch(new RegExp(` proxy ${machine.agent.nodeId}$`))
	expect(own).not.toContain('touch')
}

describe('a relay that moves the name of one machine to another', () => {
	it.each([
		['and keeps both', (_nodes: Listed) => true],
		['and hides the first', (node: Listed) => node.id !== machine.agent.nodeId],
	])('%s, does not get the command that was meant for the first', async (_how, isListed) => {
		stand.path.tricks = {
			onAnswer: (path, body) => {
				if (path !== '/api/nodes') return undefined
				const answer = JSON.parse(body) as { nodes: Listed[] }
				const swap = (node: Listed) => ({ ...node, name: node.id === other.agent.nodeId ? 'box' : 'spare' })
				return JSON.stringify({ ...answer, nodes: answer.nodes.filter(isListed).map(swap) })
			},
		}
		const ran = await command(['exec', '--no-share', 'box', '--', 'touch', marker])
		expect(ran.status).not.toBe(0)
		expect(ran.stderr).toContain('to another machine than the one paired under it')
		expect(existsSync(marker)).toBe(false)
	})
})

interface Listed {
	readonly id: string
	readonly name: string
}

describe('the page', () => {
	it('shows hostile names as text: no element, no title and no request comes of them', async () => {
		const folder = fileURLToPath(new URL('../../../packages/web/dist', import.meta.url))
		const page = await startStand(scope, { pageDirectory: folder })
		const box = await page.machine('box')
		const name = `<img src=x onerror="document.title='owned'"><b id=owned>`
		await page.client.api.renameNode(box.agent.nodeId, name)
		const person = await openPerson(scope, await launchChromium(scope))
		const requests: string[] = []
		person.page.on('request', (request) => requests.push(new URL(request.url()).origin))
		await person.page.goto(page.path.origin)
		await person.page.getByLabel('E-mail').fill(ACCOUNT.email)
		await person.page.getByLabel('Password', { exact: true }).fill(ACCOUNT.password)
		await person.page.getByRole('button', { name: 'Sign in' }).click()
		await person.page.getByText(name, { exact: false }).first().waitFor({ timeout: 20_000 })
		expect(await person.page.locator('#owned').count()).toBe(0)
		expect(await person.page.title()).not.toContain('owned')
		expect(new Set(requests)).toEqual(new Set([page.path.origin]))
	})
})
