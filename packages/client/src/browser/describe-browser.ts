/** First match wins: most browsers also claim to be the ones below them. */
const BROWSERS: readonly (readonly [RegExp, string])[] = [
	[/\bEdg(A|iOS)?\//, 'Edge'],
	[/\bOPR\//, 'Opera'],
	[/\bSamsungBrowser\//, 'Samsung Internet'],
	[/\bFirefox\//, 'Firefox'],
	[/\bFxiOS\//, 'Firefox'],
	[/\bCriOS\//, 'Chrome'],
	[/\bChromium\//, 'Chromium'],
	[/\b(Headless)?Chrome\//, 'Chrome'],
	[/\bSafari\//, 'Safari'],
]

const SYSTEMS: readonly (readonly [RegExp, string])[] = [
	[/\biPhone\b/, 'iPhone'],
	[/\biPad\b/, 'iPad'],
	[/\bAndroid\b/, 'Android'],
	[/\bCrOS\b/, 'ChromeOS'],
	[/\bWindows\b/, 'Windows'],
	[/\bMac OS X\b/, 'macOS'],
	[/\bLinux\b/, 'Linux'],
]

/** A name for pairing dialogs, as `Firefox on Linux`. It decides nothing. */
export function describeBrowser(userAgent: string): string {
	const find = (table: typeof BROWSERS): string | undefined => table.find(([shape]) => shape.test(userAgent))?.[1]
	const system = find(SYSTEMS)
	return system === undefined ? (find(BROWSERS) ?? 'Browser') : `${find(BROWSERS) ?? 'Browser'} on ${system}`
}
