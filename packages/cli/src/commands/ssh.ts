import { spawn } from 'node:child_process'
import type { NodeId, NodeInfo } from '@sallyport/protocol'
import { scriptPath } from '../build-id.ts'
import type { Context } from '../context.ts'
import { CliError, EXIT } from '../exit-codes.ts'
import { resolveNode } from '../names/resolve-node.ts'
import { showText } from '../text/plain.ts'
import { proxyCommand } from '../text/shell-quote.ts'
import { sshSettingsIn } from '../text/ssh-words.ts'
import { signalStatus } from './exec.ts'

/** A name that ssh takes as a host and no shell or pattern takes as anything else. */
const PLAIN_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/

/** `sally ssh [USER@]NODE [ssh options] [command]`: stock OpenSSH, over the link. */
export async function ssh(context: Context, destination: string, args: readonly string[]): Promise<number> {
	const at = destination.lastIndexOf('@')
	const user = at < 0 ? undefined : destination.slice(0, at)
	const { id, name } = await find(context, destination.slice(at + 1))
	const host = PLAIN_NAME.test(name) ? name : hostOf(id)
	// To ssh the first of two settings counts, and ours come first: what its person sets is left to them.
	const theirs = sshSettingsIn(args)
	const ours = sshOptions(context, id).filter(([key]) => !theirs.has(key.toLowerCase()))
	const options = ours.flatMap(([key, value]) => ['-o', `${key}=${value}`])
	const words = [...options, ...(user === undefined ? [] : ['-l', user]), host, ...args]
	return new Promise((resolve, reject) => {
		const child = spawn('ssh', words, { stdio: 'inherit' })
		// Ctrl+C is ssh's to handle; it is in the same group.
		const ignore = (): void => undefined
		process.on('SIGINT', ignore)
		child.on('error', (error: NodeJS.ErrnoException) => {
			const message = error.code === 'ENOENT' ? 'OpenSSH is not installed here: there is no ssh' : error.message
			reject(new CliError(EXIT.transport, message))
		})
		child.on('exit', (code, signal) => {
			process.off('SIGINT', ignore)
			resolve(code ?? signalStatus((signal ?? 'SIGTERM').slice(3)))
		})
	})
}

/** `sally ssh-config [NODE…]`: blocks for ~/.ssh/config, so that ssh, scp, rsync, git and editors know the machines. */
export async function sshConfig(context: Context, names: readonly string[]): Promise<number> {
	const client = await (await context.openProfile()).openClient()
	const [{ nodes }, pairings] = await Promise.all([client.api.nodes(), client.pairings()])
	const wanted =
		names.length === 0
			? nodes.filter((node) => pairings.some((pairing) => pairing.nodeId === node.id))
			: names.map((name) => nodeOf(resolveNode(name, nodes, pairings), nodes))
	if (wanted.length === 0) throw new CliError(EXIT.notFound, 'no machine is paired with this computer yet: see sally pair')
	context.print('# Made by sally ssh-config; put it into ~/.ssh/config, or into a file that it includes.')
	for (const node of wanted) context.print(hostBlock(context, node))
	return EXIT.ok
}

function hostBlock(context: Context, node: Pick<NodeInfo, 'id' | 'name'>): string {
	const isPlain = PLAIN_NAME.test(node.name)
	const hosts = isPlain ? [node.name, hostOf(node.id)] : [hostOf(node.id)]
	const lines = sshOptions(context, node.id).map(([key, value]) => `\t${key} ${value}`)
	// A name that ssh could misread stands in a comment alone, and can't leave its line there.
	const comment = isPlain ? [] : [`# ${showText(node.name)}`]
	return ['', ...comment, `Host ${hosts.join(' ')}`, ...lines].join('\n')
}

function sshOptions(context: Context, id: NodeId): readonly (readonly [string, string])[] {
	const words = [process.execPath, scriptPath(), ...profileWords(context), 'proxy', id]
	return [
		['ProxyCommand', proxyCommand(words)],
		// Known by its key, not by a name that may move to another machine.
		['HostKeyAlias', hostOf(id)],
		// The link has proven the machine already; its sshd's key is noted at first sight, and a changed one refused.
		['StrictHostKeyChecking', 'accept-new'],
		['CheckHostIP', 'no'],
	]
}

function profileWords(context: Context): readonly string[] {
	const words = context.options.profile === 'default' ? [] : ['--profile', context.options.profile]
	return context.options.share ? words : [...words, '--no-share']
}

async function find(context: Context, text: string): Promise<{ readonly id: NodeId; readonly name: string }> {
	const client = await (await context.openProfile()).openClient()
	const [{ nodes }, pairings] = await Promise.all([client.api.nodes(), client.pairings()])
	const id = resolveNode(text, nodes, pairings)
	return nodeOf(id, nodes)
}

function nodeOf(id: NodeId, nodes: readonly Pick<NodeInfo, 'id' | 'name'>[]): Pick<NodeInfo, 'id' | 'name'> {
	return nodes.find((node) => node.id === id) ?? { id, name: id }
}

function hostOf(id: NodeId): string {
	return `sally-${id}`
}
