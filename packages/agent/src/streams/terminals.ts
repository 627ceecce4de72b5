import { randomBytes } from 'node:crypto'
import type { Clock } from '@sallyport/carrier'
import type { TerminalId, TerminalInfo } from '@sallyport/protocol'
import { LIMITS, terminalIdSchema } from '@sallyport/protocol'
import * as v from 'valibot'
import type { TerminalOwner } from './terminal.ts'
import { Terminal } from './terminal.ts'
import type { TerminalSource } from './terminal-source.ts'

export interface NewTerminal {
	readonly id: TerminalId
	readonly name: string
	readonly kind: TerminalInfo['kind']
	readonly owner: TerminalOwner
	readonly cols: number
	readonly rows: number
	readonly source: TerminalSource
}

/** All terminals of this node. */
export class Terminals {
	readonly #terminals = new Map<TerminalId, Terminal>()
	readonly #clock: Clock
	readonly #detachedMs: number
	readonly #onChange: (owner: TerminalOwner) => void

	constructor(deps: {
		readonly clock: Clock
		/** @default LIMITS.terminalDetachedMs */
		readonly detachedMs?: number
		readonly onChange: (owner: TerminalOwner) => void
	}) {
		this.#clock = deps.clock
		this.#detachedMs = deps.detachedMs ?? LIMITS.terminalDetachedMs
		this.#onChange = deps.onChange
	}

	get count(): number {
		return this.#terminals.size
	}

	get isFull(): boolean {
		return this.#terminals.size >= LIMITS.terminalsPerNode
	}

	newId(): TerminalId {
		return v.parse(terminalIdSchema, randomBytes(12).toString('base64url'))
	}

	/** The name for a terminal that was given none: the first of `shell`, `shell 2`, … that its owner doesn't use. */
	freeName(kind: TerminalInfo['kind'], owner: TerminalOwner): string {
		const taken = new Set(this.list(owner).map((terminal) => terminal.name))
		let name: string = kind
		for (let number = 2; taken.has(name); number++) name = `${kind} ${number}`
		return name
	}

	add(made: NewTerminal): Terminal {
		const terminal = new Terminal({
			...made,
			clock: this.#clock,
			detachedMs: this.#detachedMs,
			onChange: () => this.#onChange(made.owner),
			onExit: () => {
				this.#terminals.delete(made.id)
				this.#onChange(made.owner)
			},
		})
		this.#terminals.set(made.id, terminal)
		this.#onChange(made.owner)
		return terminal
	}

	/** A terminal of this owner; another's is not told apart from none. */
	find(id: TerminalId, owner: TerminalOwner): Terminal | undefined {
		const terminal = this.#terminals.get(id)
		return terminal !== undefined && isOwner(terminal, owner) ? terminal : undefined
	}

	list(owner: TerminalOwner): readonly Terminal[] {
		return [...this.#terminals.values()].filter((terminal) => isOwner(terminal, owner))
	}

	all(): readonly Terminal[] {
		return [...this.#terminals.values()]
	}

	/** Hangs up all. */
	close(): void {
		for (const terminal of this.#terminals.values()) terminal.end()
	}
}

function isOwner(terminal: Terminal, owner: TerminalOwner): boolean {
	return terminal.owner.deviceId === owner.deviceId && terminal.owner.user === owner.user
}
