import { clsx } from 'clsx'
import { Check, Minus, Monitor, Moon, Plus, Sun } from 'lucide-react'
import { useServices, useSettings } from '../app/services.tsx'
import type { TerminalThemeId } from '../state/settings.ts'
import { FONT_SIZE, resolveTheme, TERMINAL_THEMES } from '../state/settings.ts'
import { terminalTheme } from '../terminal/themes.ts'
import { IconButton } from '../ui/button.tsx'
import { Segmented, Toggle } from '../ui/choice.tsx'
import { Card, Section } from '../ui/page.tsx'

export function Appearance() {
	const { settings } = useServices()
	const value = useSettings()
	return (
		<>
			<Section title="Theme">
				<Segmented
					label="Theme"
					value={value.theme}
					onChange={(theme) => settings.update({ theme })}
					options={[
						{ value: 'system', label: 'System', icon: <Monitor className="size-4" /> },
						{ value: 'light', label: 'Light', icon: <Sun className="size-4" /> },
						{ value: 'dark', label: 'Dark', icon: <Moon className="size-4" /> },
					]}
				/>
			</Section>
			<Section title="Terminal colours">
				<div role="radiogroup" aria-label="Terminal colours" className="grid grid-cols-2 gap-3 sm:grid-cols-4">
					{TERMINAL_THEMES.map((id) => (
						<ThemeSwatch
							key={id}
							id={id}
							isOn={id === value.terminalTheme}
							onChoose={() => settings.update({ terminalTheme: id })}
						/>
					))}
				</div>
			</Section>
			<Section title="Terminal">
				<Card>
					<div className="flex flex-col gap-5">
						<div className="flex items-center justify-between gap-4">
							<span id="font-size-label" className="text-base">
								Text size
							</span>
							<div role="group" aria-labelledby="font-size-label" className="flex items-center gap-1">
								<IconButton
									label="Smaller text"
									disabled={value.fontSize <= FONT_SIZE.min}
									onClick={() => settings.changeFontSize(-1)}
								>
									<Minus className="size-4" />
								</IconButton>
								<output className="tabular w-14 text-center text-sm">{value.fontSize} px</output>
								<IconButton
									label="Larger text"
									disabled={value.fontSize >= FONT_SIZE.max}
									onClick={() => settings.changeFontSize(1)}
								>
									<Plus className="size-4" />
								</IconButton>
							</div>
						</div>
						<div className="flex flex-wrap items-center justify-between gap-x-4 gap-y-2">
							<span className="text-base">Right click</span>
							<Segmented
								label="Right click"
								value={value.rightClick}
								onChange={(rightClick) => settings.update({ rightClick })}
								options={[
									{ value: 'menu', label: 'Menu' },
									{ value: 'paste', label: 'Copy or paste' },
								]}
							/>
						</div>
						<Toggle
							label="Copy when selecting"
							isOn={value.copyOnSelect}
							onChange={(copyOnSelect) => settings.update({ copyOnSelect })}
						/>
						<Toggle
							label="Blinking cursor"
							isOn={value.cursorBlink}
							onChange={(cursorBlink) => settings.update({ cursorBlink })}
						/>
						<Toggle
							label="Screen reader support"
							hint="Reads output aloud; drawing is slower."
							isOn={value.screenReader}
							onChange={(screenReader) => settings.update({ screenReader })}
						/>
						{value.clipboardNodes.length > 0 && (
							<Toggle
								label="Some machines may set the clipboard"
								hint="Turn off to be asked again by all."
								isOn
								onChange={() => settings.update({ clipboardNodes: [] })}
							/>
						)}
					</div>
				</Card>
			</Section>
		</>
	)
}

const THEME_NAMES: Readonly<Record<TerminalThemeId, string>> = {
	match: 'Match the page',
	gatehouse: 'Gatehouse',
	daylight: 'Daylight',
	nocturne: 'Nocturne',
	ember: 'Ember',
	fjord: 'Fjord',
	paper: 'Paper',
	contrast: 'High contrast',
}

function ThemeSwatch({
	id,
	isOn,
	onChoose,
}: {
	readonly id: TerminalThemeId
	readonly isOn: boolean
	readonly onChoose: () => void
}) {
	const { theme } = useSettings()
	const colours = terminalTheme(id, resolveTheme(theme, matchMedia('(prefers-color-scheme: dark)').matches))
	const line = (parts: readonly (readonly [string, string])[]) => (
		<div>
			{parts.map(([text, colour]) => (
				<span key={text} style={{ color: colour }}>
					{text}
				</span>
			))}
		</div>
	)
	return (
		<button
			type="button"
			role="radio"
			aria-checked={isOn}
			onClick={onChoose}
			className={clsx(
				'overflow-hidden rounded-lg border text-left',
				isOn ? 'border-accent ring-1 ring-accent' : 'border-line hover:border-line-strong',
			)}
		>
			<div
				className="h-[4.25rem] px-2.5 py-2 font-mono text-[0.625rem] leading-[1.05rem] whitespace-pre"
				style={{ background: colours.background }}
				aria-hidden="true"
			>
				{line([
					['~', colours.blue],
					[' $ ', colours.green],
					['git st', colours.foreground],
				])}
				{line([
					[' M ', colours.red],
					['gate.ts', colours.foreground],
				])}
				{line([
					['?? ', colours.yellow],
					['moat/', colours.cyan],
				])}
			</div>
			<div className="flex h-9 items-center justify-between gap-2 border-t border-line bg-surface px-2.5 text-xs font-medium">
				<span className="truncate">{THEME_NAMES[id]}</span>
				{isOn && <Check className="size-3.5 shrink-0 text-accent" aria-hidden="true" />}
			</div>
		</button>
	)
}
