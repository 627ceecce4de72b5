import { clsx } from 'clsx'
import { Check } from 'lucide-react'
import { DropdownMenu as Radix, ContextMenu as RadixContext } from 'radix-ui'
import type { ReactNode } from 'react'

const CONTENT =
	'anim-pop z-50 min-w-48 max-w-[min(20rem,92vw)] overflow-y-auto rounded-lg border border-line bg-raised p-1 shadow-pop max-h-[min(28rem,80vh)]'
const ITEM =
	'flex h-8 cursor-default select-none items-center gap-2.5 rounded-md px-2.5 text-sm outline-none data-[disabled]:opacity-50 data-[highlighted]:bg-hover max-sm:h-10'
const DANGER = 'text-danger data-[highlighted]:bg-danger-soft'

export interface MenuEntry {
	readonly label: string
	readonly icon?: ReactNode
	readonly keys?: string
	readonly isDanger?: boolean
	readonly isDisabled?: boolean
	readonly onSelect: () => void
}
export type MenuSpec = readonly (MenuEntry | 'separator')[]

export interface MenuProps {
	readonly trigger: ReactNode
	readonly children: ReactNode
	readonly align?: 'start' | 'end'
	readonly label?: string
}

export function Menu({ trigger, children, align = 'end', label }: MenuProps) {
	return (
		<Radix.Root>
			<Radix.Trigger asChild>{trigger}</Radix.Trigger>
			<Radix.Portal>
				<Radix.Content align={align} sideOffset={6} collisionPadding={8} className={CONTENT} aria-label={label}>
					{children}
				</Radix.Content>
			</Radix.Portal>
		</Radix.Root>
	)
}

export function MenuItem({ label, icon, keys, isDanger = false, isDisabled = false, onSelect }: MenuEntry) {
	return (
		<Radix.Item className={clsx(ITEM, isDanger && DANGER)} disabled={isDisabled} onSelect={onSelect}>
			<EntryContent label={label} icon={icon} {...(keys === undefined ? {} : { keys })} />
		</Radix.Item>
	)
}

export function MenuSeparator() {
	return <Radix.Separator className="-mx-1 my-1 h-px bg-line" />
}

export function MenuHeading({ children }: { readonly children: ReactNode }) {
	return <Radix.Label className="px-2.5 pt-1.5 pb-1 text-xs text-muted">{children}</Radix.Label>
}

export interface MenuChoiceProps<T extends string> {
	readonly value: T
	readonly options: readonly { readonly value: T; readonly label: string; readonly icon?: ReactNode }[]
	readonly onChange: (value: T) => void
}

export function MenuChoice<T extends string>({ value, options, onChange }: MenuChoiceProps<T>) {
	return (
		<Radix.RadioGroup value={value}>
			{options.map((option) => (
				<Radix.RadioItem key={option.value} value={option.value} className={ITEM} onSelect={() => onChange(option.value)}>
					{option.icon}
					<span className="flex-1">{option.label}</span>
					<Radix.ItemIndicator>
						<Check className="size-4 text-accent" />
					</Radix.ItemIndicator>
				</Radix.RadioItem>
			))}
		</Radix.RadioGroup>
	)
}

export function ContextMenu({
	items,
	children,
	onClose,
}: {
	readonly items: MenuSpec
	readonly children: ReactNode
	readonly onClose?: () => void
}) {
	return (
		<RadixContext.Root modal={false}>
			<RadixContext.Trigger asChild>{children}</RadixContext.Trigger>
			<RadixContext.Portal>
				<RadixContext.Content
					className={CONTENT}
					collisionPadding={8}
					onCloseAutoFocus={(event) => {
						event.preventDefault()
						onClose?.()
					}}
				>
					{items.map((item, index) =>
						item === 'separator' ? (
							<RadixContext.Separator key={`separator-${index}`} className="-mx-1 my-1 h-px bg-line" />
						) : (
							<RadixContext.Item
								key={item.label}
								className={clsx(ITEM, item.isDanger === true && DANGER)}
								disabled={item.isDisabled ?? false}
								onSelect={item.onSelect}
							>
								<EntryContent label={item.label} icon={item.icon} {...(item.keys === undefined ? {} : { keys: item.keys })} />
							</RadixContext.Item>
						),
					)}
				</RadixContext.Content>
			</RadixContext.Portal>
		</RadixContext.Root>
	)
}

function EntryContent({ label, icon, keys }: Pick<MenuEntry, 'label' | 'icon' | 'keys'>) {
	return (
		<>
			{icon !== undefined && <span className="flex size-4 items-center justify-center text-muted [&>svg]:size-4">{icon}</span>}
			<span className="min-w-0 flex-1 truncate">{label}</span>
			{keys !== undefined && <span className="text-xs text-muted">{keys}</span>}
		</>
	)
}
