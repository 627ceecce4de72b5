import type { ClientLink, LinkStream, StreamRequest } from '@sallyport/carrier'
import type { LoginPrompt } from '@sallyport/protocol'
import { ClientError } from '../errors.ts'
import type { SshLoginUi, TerminalSession } from '../sally-client.ts'
import { named, terminalOver } from './terminal.ts'

/** Opens an SSH session on the node; its questions go to the person, and the answers travel inside the link alone. */
export async function openSshLogin(link: ClientLink, request: StreamRequest, ui: SshLoginUi): Promise<TerminalSession> {
	const { stream, opened } = link.openStream(request)
	const terminal = terminalOver(link, stream)
	terminal.onMessage((message) => {
		if (message.op === 'host_key') ui.hostKey(message)
		if (message.op === 'login_prompt') void answerPrompt(stream, message, ui)
	})
	const { terminalId, name } = await opened.catch((error: unknown) => Promise.reject(ClientError.from(error)))
	return named(terminal.session, terminalId ?? '', name ?? '', 'ssh')
}

async function answerPrompt(stream: LinkStream, prompt: LoginPrompt, ui: SshLoginUi): Promise<void> {
	// A dialog that failed is one that was closed: the login ends either way.
	const answer = await ui.answer(prompt).catch(() => undefined)
	if (answer === undefined) return stream.reset('cancelled', 'login was given up')
	if ('answers' in answer) {
		return stream.send({ op: 'login_answer', prompt_id: prompt.prompt_id, answers: [...answer.answers] })
	}
	return stream.send({ op: 'login_answer', prompt_id: prompt.prompt_id, private_key: { ...answer.privateKey } })
}
