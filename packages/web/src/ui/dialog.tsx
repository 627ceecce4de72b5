import { clsx } from 'clsx'
import { X } from 'lucide-react'
import { Dialog as Radix } from 'radix-ui'
import type { ReactNode } from 'react'
import { IconButton } from './button.tsx'

export interface DialogProps {
	readonly isOpen: boolean
	readonly onOpenChange: (isOpen: boolean) => void
	readonly title: string
	readonly description?: ReactNode
	readonly children?: ReactNode
	readonly footer?: ReactNode
	/** False: neither Escape nor a click beside it closes it. */
	readonly isDismissible?: boolean
	readonly width?: 'sm' | 'md' | 'lg'
}

const WIDTHS = { sm: 'sm:max-w-[26rem]', md: 'sm:max-w-[32rem]', lg: 'sm:max-w-[40rem]' } as const
const OVERLAY = 'anim-fade fixed inset-0 z-40 bg-black/45 dark:bg-black/65'

export function Dialog(props: DialogProps) {
	const { isOpen, onOpenChange, title, description, children, footer, isDismissible = true, width = 'md' } = props
	const hold = (event: Event) => {
		if (!isDismissible) event.preventDefault()
	}
	return (
		<Radix.Root open={isOpen} onOpenChange={onOpenChange}>
			<Radix.Portal>
				<Radix.Overlay className={OVERLAY} />
				<Radix.Content
					onOpenAutoFocus={focusWhatItIsFor}
					onEscapeKeyDown={hold}
					onPointerDownOutside={hold}
					onInteractOutside={hold}
					{...(description === undefined ? { 'aria-describedby': undefined } : {})}
					className={clsx(
						'anim-pop fixed z-50 flex max-h-[92dvh] flex-col overflow-hidden border border-line bg-raised shadow-pop',
						'inset-x-0 bottom-0 rounded-t-2xl sm:inset-x-4 sm:top-[12vh] sm:bottom-auto sm:mx-auto sm:max-h-[80vh] sm:rounded-xl',
						WIDTHS[width],
					)}
				>
					<div className="px-5 pt-5">
						<div className={clsx(isDismissible && 'pr-8')}>
							<Radix.Title className="text-lg font-semibold tracking-[-0.01em] text-balance">{title}</Radix.Title>
							{description !== undefined && (
								<Radix.Description className="mt-1 text-sm text-muted">{description}</Radix.Description>
							)}
						</div>
					</div>
					<div className="scroll-thin min-h-0 flex-1 overflow-y-auto px-5 pt-4 pb-5">{children}</div>
					{footer !== undefined && (
						<div className="flex flex-wrap items-center justify-end gap-2 border-t border-line bg-bg/50 px-5 py-3.5">
							{footer}
						</div>
					)}
					{/* Last in order: the first stop of Tab is what the dialog is for. */}
					{isDismissible && (
						<Radix.Close asChild>
							<IconButton label="Close" size="sm" className="absolute top-4 right-3.5">
								<X className="size-4" />
							</IconButton>
						</Radix.Close>
					)}
				</Radix.Content>
			</Radix.Portal>
		</Radix.Root>
	)
}

/** A drawer at the right edge; on a phone the whole page. */
export function Sheet({
	isOpen,
	onOpenChange,
	title,
	header,
	children,
}: Omit<DialogProps, 'footer'> & { readonly header: ReactNode }) {
	return (
		<Radix.Root open={isOpen} onOpenChange={onOpenChange}>
			<Radix.Portal>
				<Radix.Overlay className={OVERLAY} />
				<Radix.Content
					aria-describedby={undefined}
					data-focus="self"
					onOpenAutoFocus={focusWhatItIsFor}
					className="anim-sheet fixed inset-y-0 right-0 z-50 flex w-full flex-col border-l border-line bg-raised shadow-pop sm:w-[30rem]"
				>
					<Radix.Title className="sr-only">{title}</Radix.Title>
					<div className="flex items-start gap-3 border-b border-line px-5 py-4">
						<div className="min-w-0 flex-1">{header}</div>
						<Radix.Close asChild>
							<IconButton label="Close details" size="sm" className="-mr-1.5">
								<X className="size-4" />
							</IconButton>
						</Radix.Close>
					</div>
					<div className="scroll-thin min-h-0 flex-1 overflow-y-auto">{children}</div>
				</Radix.Content>
			</Radix.Portal>
		</Radix.Root>
	)
}

/** The first field, else the main action, else the dialog itself: never a dangerous button, never the close button. */
function focusWhatItIsFor(event: Event): void {
	const dialog = event.currentTarget
	if (!(dialog instanceof HTMLElement)) return
	event.preventDefault()
	const field = dialog.querySelector<HTMLElement>('input:not([type=hidden], [hidden], [readonly]), textarea, select')
	const action = dialog.querySelector<HTMLElement>('[data-variant=primary]:not(:disabled)')
	const target = field ?? (dialog.dataset['focus'] === 'self' ? null : action)
	;(target ?? dialog).focus()
}
