import type { SshLoginUi, TerminalEnd, TerminalSession, TerminalSize } from '@sallyport/client'
import { toast } from 'sonner'
import type { Services } from '../app/services.tsx'
import { plainLine } from '../lib/hostile-text.ts'
import { OutboundQueue } from '../lib/outbound-queue.ts'
import { toProblem } from '../lib/problem.ts'
import { resolveTheme } from '../state/settings.ts'
import type { Tab } from '../state/tabs.ts'
import { Clipboard } from './clipboard.ts'
import { endedPhase, failedPhase, isShellOver } from './end-reason.ts'
import { handleTerminalKey } from './keys.ts'
import { reattachDelayMs } from './reattach.ts'
import type { ScreenLook } from './screen.ts'
import { Screen } from './screen.ts'
import { terminalTheme } from './themes.ts'

/** One tab's terminal: its screen, its session on the node, and the way back after a loss. Lives as long as the tab. */
export class TerminalController {
	readonly screen: Screen
	readonly clipboard: Clipboard
	readonly #services: Services
	readonly #id: string
	#session: TerminalSession | undefined
	#keys: OutboundQueue | undefined
	#typedAhead: Uint8Array[] = []
	/** Grows with each attempt, so that an answer that comes late is put away. */
	#attempt = 0
	#isDisposed = false
	#retryNow: (() => void) | undefined
	/** Tells the pane to show the search bar, or the tab list to take the focus. */
	onSearch: () => void = () => {}
	onLeave: () => void = () => {}

	constructor(services: Services, id: string) {
		this.#services = services
		this.#id = id
		this.clipboard = new Clipboard({
			settings: services.settings,
			tab: () => this.#tab,
			ask: (question) => services.tabs.update(id, { question }),
			hasPasteBrackets: () => this.screen.term.modes.bracketedPasteMode,
			selection: () => this.screen.term.getSelection(),
			send: (text) => this.#send(new TextEncoder().encode(text)),
			focus: () => this.focus(),
		})
		this.screen = new Screen(this.#look(), {
			onKeys: (bytes) => this.#send(bytes),
			onResize: ({ cols, rows }) => this.#session?.resize(cols, rows),
			onTitle: (title) => services.tabs.update(id, { title: title === '' ? (this.#tab?.nodeName ?? '') : title }),
			onBell: () => this.#markNews(),
			onClipboardWish: (text) => this.clipboard.wish(text),
			onHiddenLink: (href) => this.clipboard.confirmLink(href),
			onKeyDown: (event) => handleTerminalKey(event, this, services),
		})
		this.screen.term.onSelectionChange(() => {
			if (services.settings.store.getState().copyOnSelect) this.clipboard.copy()
		})
	}

	get #tab(): Tab | undefined {
		return this.#services.tabs.get(this.#id)
	}

	/** Called when the pane is laid out: draws, and connects the first time. */
	mount(element: HTMLElement): void {
		this.screen.mount(element)
		const size = this.screen.fit()
		if (size !== undefined && this.#tab?.phase.kind === 'waiting') void this.connect(size)
	}

	fit(): void {
		const size = this.screen.fit()
		if (size !== undefined && this.#tab?.phase.kind === 'waiting') void this.connect(size)
	}

	focus(): void {
		this.screen.term.focus()
	}

	applyLook(): void {
		this.screen.setLook(this.#look())
		this.screen.fit()
	}

	/** Enter on a terminal that has ended, or is on its way back. */
	reconnect(): void {
		const phase = this.#tab?.phase
		if (phase?.kind === 'reattaching') this.#retryNow?.()
		else if (phase?.kind === 'ended' && phase.again) {
			// A shell that only lost its path is attached again; else what Enter starts is a new one.
			this.#services.tabs.update(this.#id, { hostKey: undefined })
			this.screen.term.reset()
			void this.connect(this.#size)
		}
	}

	async connect(size: TerminalSize): Promise<void> {
		const tab = this.#tab
		if (tab === undefined || this.#isDisposed) return
		const attempt = ++this.#attempt
		this.#services.tabs.update(this.#id, { phase: { kind: 'connecting', step: `Connecting to ${plainLine(tab.nodeName, 60)}` } })
		try {
			const session = await this.#openSession(tab, size)
			if (attempt !== this.#attempt || this.#isDisposed) return session.detach()
			this.#adopt(session)
		} catch (error) {
			if (attempt !== this.#attempt || this.#isDisposed) return
			this.#typedAhead = []
			const problem = toProblem(error, tab.nodeName)
			this.#noticeExpiry(problem.code)
			this.#forgetIfGone(problem.code)
			this.#services.tabs.update(this.#id, { question: undefined, phase: failedPhase(problem, this.#tab?.hostKey) })
		}
	}

	/** Leaves the shell running at the node. */
	detach(): void {
		this.#session?.detach()
	}

	dispose(): void {
		this.#isDisposed = true
		this.#attempt++
		this.#retryNow?.()
		this.#session?.detach()
		this.screen.dispose()
	}

	get #size(): TerminalSize {
		return this.screen.fit() ?? { cols: this.screen.term.cols, rows: this.screen.term.rows }
	}

	async #openSession(tab: Tab, size: TerminalSize): Promise<TerminalSession> {
		const connection = await this.#services.client.connect(tab.nodeId)
		this.#services.approvals.listen(connection, tab.nodeName)
		if (tab.terminalId !== undefined) return connection.attachTerminal(tab.terminalId, size)
		if (tab.kind === 'ssh')
			return connection.openSsh(size, this.#loginUi(), tab.sshUser === undefined ? {} : { user: tab.sshUser })
		return connection.openTerminal(size)
	}

	#adopt(session: TerminalSession): void {
		this.#session = session
		this.#keys = new OutboundQueue(session)
		for (const bytes of this.#typedAhead.splice(0)) this.#keys.push(bytes)
		session.onOutput((bytes, done) => {
			this.screen.term.write(bytes, done)
			this.#markNews()
		})
		this.#services.tabs.update(this.#id, {
			phase: { kind: 'open' },
			terminalId: session.terminalId === '' ? undefined : session.terminalId,
		})
		// The pane may have changed its size while the session was on its way.
		const { cols, rows } = this.screen.term
		session.resize(cols, rows)
		void session.ended.then((end) => this.#handleEnd(session, end))
	}

	#handleEnd(session: TerminalSession, end: TerminalEnd): void {
		if (session !== this.#session || this.#isDisposed) return
		this.#session = undefined
		this.#keys?.clear()
		this.#keys = undefined
		if (isShellOver(end)) this.#services.tabs.update(this.#id, { terminalId: undefined })
		const phase = endedPhase(end, this.#tab?.hostKey)
		if (phase !== undefined) this.#services.tabs.update(this.#id, { phase, question: undefined })
		else void this.#reattach(end.kind === 'link' ? end.end.message : 'the connection was lost')
	}

	/** Comes back to the running shell: at once, then ever more slowly, and whenever the device or the machine is back. */
	async #reattach(reason: string): Promise<void> {
		const round = ++this.#attempt
		for (let attempt = 1; round === this.#attempt && !this.#isDisposed; attempt++) {
			const tab = this.#tab
			if (tab === undefined) return
			this.#services.tabs.update(this.#id, { question: undefined, phase: { kind: 'reattaching', reason, attempt } })
			await this.#pause(reattachDelayMs(attempt, Math.random()))
			if (round !== this.#attempt || this.#isDisposed) return
			try {
				const session = await this.#openSession(tab, this.#size)
				if (round !== this.#attempt) return session.detach()
				// What the node replays starts from nothing.
				this.screen.term.reset()
				return this.#adopt(session)
			} catch (error) {
				const problem = toProblem(error, tab.nodeName)
				this.#noticeExpiry(problem.code)
				this.#forgetIfGone(problem.code)
				if (LASTING.has(problem.code)) return this.#services.tabs.update(this.#id, { phase: failedPhase(problem, tab.hostKey) })
				reason = problem.message
			}
		}
	}

	#pause(ms: number): Promise<void> {
		return new Promise((resolve) => {
			const { nodes } = this.#services
			const connectedAt = () => this.#nodeConnectedAt()
			let known = connectedAt()
			const go = () => {
				clearTimeout(timer)
				window.removeEventListener('online', go)
				stopWatching()
				this.#retryNow = undefined
				resolve()
			}
			const timer = setTimeout(go, ms)
			window.addEventListener('online', go)
			const stopWatching = nodes.store.subscribe(() => {
				const now = connectedAt()
				if (now !== undefined && now !== known) go()
				known = now
			})
			this.#retryNow = go
		})
	}

	/** When the machine came to the relay, as the live list tells; another time means that it is back. */
	#nodeConnectedAt(): number | undefined {
		const tab = this.#tab
		const node = tab === undefined ? undefined : this.#services.nodes.store.getState().nodes.get(tab.nodeId)
		return node?.connected === true ? node.connected_at : undefined
	}

	#loginUi(): SshLoginUi {
		return {
			hostKey: (hostKey) => this.#services.tabs.update(this.#id, { hostKey }),
			answer: (prompt) =>
				new Promise((resolve) => {
					this.#services.tabs.update(this.#id, {
						question: {
							kind: 'login',
							prompt,
							answer: (answer) => {
								this.#services.tabs.update(this.#id, { question: undefined })
								resolve(answer)
							},
						},
					})
				}),
		}
	}

	#send(bytes: Uint8Array): void {
		if (this.#keys !== undefined) {
			// A host that hasn't read 64 MiB will not read this either: said, rather than lost in silence.
			if (!this.#keys.push(bytes)) toast.error('The program is not reading: what was typed or pasted last was not sent.')
			return
		}
		// Typed while the shell was on its way: it gets it, as from any terminal.
		const tab = this.#tab
		if (tab?.kind === 'shell' && tab.phase.kind === 'connecting' && this.#typedAhead.length < MAX_TYPED_AHEAD)
			this.#typedAhead.push(bytes)
	}

	#markNews(): void {
		const { activeId } = this.#services.tabs.store.getState()
		const tab = this.#tab
		if (tab !== undefined && activeId !== this.#id && !tab.hasNews) this.#services.tabs.update(this.#id, { hasNews: true })
	}

	/** The node has no such terminal any more: the next try is for a new one. */
	#forgetIfGone(code: string): void {
		if (code === 'not_found' || code === 'reset') this.#services.tabs.update(this.#id, { terminalId: undefined })
	}

	#noticeExpiry(code: string): void {
		if (code === 'unauthenticated') void this.#services.account.expire()
	}

	#look(): ScreenLook {
		const { terminalTheme: id, theme, fontSize, cursorBlink, screenReader } = this.#services.settings.store.getState()
		const page = resolveTheme(theme, matchMedia('(prefers-color-scheme: dark)').matches)
		return { theme: terminalTheme(id, page), fontSize, cursorBlink, screenReader }
	}
}

/** Keystrokes kept while a shell is being opened. */
const MAX_TYPED_AHEAD = 256

/** Refusals that another try can't change. */
const LASTING: ReadonlySet<string> = new Set([
	'not_found',
	'reset',
	'not_paired',
	'session_gone',
	'key_changed',
	'handshake_failed',
	'forbidden',
	'version',
])
