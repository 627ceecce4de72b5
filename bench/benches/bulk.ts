import { spawn } from 'node:child_process'
import type { Scope } from '../../test/e2e/harness/scope.ts'
import { cpuSeconds, findProcess } from '../lib/cpu.ts'
import { median, type Row } from '../lib/figures.ts'
import { NODE_NAME, type World } from '../lib/world.ts'
import type { Size } from '../main.ts'

/** The fastest cipher that OpenSSH has where the processor knows AES; the same both ways. */
const CIPHER = ['-c', 'aes128-gcm@openssh.com']

/** 1 GiB from the machine through OpenSSH, over `sally proxy` and directly, in turns; and what each of our programs computes. */
export async function bulk(_scope: Scope, world: World, { rounds, bulkBytes }: Size): Promise<readonly Row[]> {
	const proxied = proxyOption([...world.sally, 'proxy', NODE_NAME].map(quote).join(' '))
	// Starts the background process, which is then the same for all rounds.
	await timeSsh(world, proxied, 'true')
	const background = findProcess('sally: links', `HOME=${world.home.folder}\0`)
	const pids = { relay: world.relay.pid, agent: world.agent.pid, ...(background === undefined ? {} : { background }) }
	const before = Object.values(pids).map((pid) => cpuSeconds(pid))
	const { ours, direct } = await transferRates(world, proxied, { rounds, bulkBytes })
	const gib = ((rounds + 1) * bulkBytes) / 1024 ** 3
	return [
		{ what: `${bulkBytes / 1024 ** 2} MiB by ssh over sally proxy`, unit: 'MB/s', ours, yardstick: direct, reach: 350 },
		...Object.entries(pids).map(([name, pid], index) => ({
			what: `processor time of the ${name} for each GiB of it`,
			unit: 's' as const,
			ours: (cpuSeconds(pid) - (before[index] ?? 0)) / gib,
		})),
	]
}

export function proxyOption(command: string): readonly string[] {
	return ['-o', `ProxyCommand=${command}`]
}

/** MB/s with the given options and without them: medians of the rounds, each less what connecting alone takes. */
export async function transferRates(
	world: World,
	options: readonly string[],
	{ rounds, bulkBytes }: Pick<Size, 'rounds' | 'bulkBytes'>,
): Promise<{ readonly ours: number; readonly direct: number }> {
	const rate = async (extra: readonly string[]): Promise<number> => {
		const emptyMs = await timeSsh(world, extra, 'true')
		const fullMs = await timeSsh(world, extra, `head -c ${bulkBytes} /dev/zero`)
		return bulkBytes / 1e3 / (fullMs - emptyMs)
	}
	const ours: number[] = []
	const direct: number[] = []
	for (let round = 0; round <= rounds; round++) {
		const [through, straight] = [await rate(options), await rate([])]
		// The first round warms up.
		if (round === 0) continue
		ours.push(through)
		direct.push(straight)
	}
	return { ours: median(ours), direct: median(direct) }
}

/** Milliseconds of one `ssh`; its exit status says that all bytes came. */
function timeSsh(world: World, extra: readonly string[], command: string): Promise<number> {
	const { sshd, home } = world
	const args = [...sshd.clientOptions(), ...CIPHER, ...extra, '-p', String(sshd.port), `${sshd.user}@${sshd.host}`, command]
	const startedMs = performance.now()
	const child = spawn('ssh', args, { env: home.env, stdio: ['ignore', 'ignore', 'pipe'] })
	let said = ''
	child.stderr.setEncoding('utf8').on('data', (text: string) => {
		said += text
	})
	return new Promise((resolve, reject) =>
		child.on('close', (status) => {
			if (status === 0) resolve(performance.now() - startedMs)
			else reject(new Error(`ssh ended with ${status}: ${said}`))
		}),
	)
}

function quote(word: string): string {
	return /^[\w./=-]+$/.test(word) ? word : `'${word}'`
}
