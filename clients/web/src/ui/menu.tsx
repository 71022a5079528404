import { computePosition, flip, offset, type Placement, shift, type VirtualElement } from '@floating-ui/dom';
import { type KeyboardEvent, useLayoutEffect, useRef } from 'react';
import { Icon, type IconName } from './icon.tsx';
import styles from './menu.module.css';

export interface MenuItem {
  label: string;
  icon?: IconName;
  isDangerous?: boolean;
  run(): void;
}

/** Where a menu opens: at an element, or at a point of the window. */
export type MenuPlace = Element | { x: number; y: number };

/** A menu, open as long as it is rendered. The browser closes it by Escape and by a click elsewhere. */
export function Menu({
  label,
  at,
  items,
  placement = 'bottom-end',
  onClose,
}: {
  label: string;
  at: MenuPlace;
  items: readonly MenuItem[];
  placement?: Placement;
  onClose(): void;
}) {
  const menu = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    const element = menu.current;
    if (!element) return;
    const before = document.activeElement;
    element.showPopover();
    void place(element, at, placement);
    buttonsOf(element)[0]?.focus();
    return () => {
      // The focus goes back, unless it has gone elsewhere on purpose.
      if (
        before instanceof HTMLElement &&
        (document.activeElement === document.body || element.contains(document.activeElement))
      )
        before.focus();
    };
  }, [at, placement]);

  return (
    <div
      ref={menu}
      popover="auto"
      role="menu"
      aria-label={label}
      className={styles.menu}
      onKeyDown={moveFocus}
      onToggle={(event) => event.newState === 'closed' && onClose()}
    >
      {items.map(({ label: name, icon, isDangerous, run }) => (
        <button
          key={name}
          type="button"
          role="menuitem"
          tabIndex={-1}
          className={`${styles.item} ${isDangerous ? styles.danger : ''}`}
          onClick={() => {
            onClose();
            run();
          }}
        >
          {icon && <Icon name={icon} size={18} />}
          {name}
        </button>
      ))}
    </div>
  );
}

async function place(element: HTMLElement, at: MenuPlace, placement: Placement): Promise<void> {
  const { x, y } = await computePosition(at instanceof Element ? at : pointAt(at), element, {
    placement,
    strategy: 'fixed',
    middleware: [offset(4), flip({ padding: 8 }), shift({ padding: 8 })],
  });
  Object.assign(element.style, { left: `${x}px`, top: `${y}px`, visibility: 'visible' });
}

const pointAt = ({ x, y }: { x: number; y: number }): VirtualElement => ({
  getBoundingClientRect: () => new DOMRect(x, y, 0, 0),
});

const buttonsOf = (menu: Element): HTMLElement[] => [
  ...menu.querySelectorAll<HTMLElement>('[role=menuitem]'),
];

/** Arrow keys, Home, End and first letters move among the items, as in menus of the system. */
export function moveFocus(event: KeyboardEvent<HTMLElement>): void {
  const all = buttonsOf(event.currentTarget);
  const index = all.findIndex((one) => one.contains(document.activeElement));
  const next = nextIndex(event.key, index, all);
  if (next === undefined) return;
  event.preventDefault();
  all[next]?.focus();
}

function nextIndex(key: string, index: number, all: readonly HTMLElement[]): number | undefined {
  const count = all.length;
  if (key === 'ArrowDown' || key === 'ArrowRight') return (index + 1) % count;
  if (key === 'ArrowUp' || key === 'ArrowLeft') return (index - 1 + count) % count;
  if (key === 'Home') return 0;
  if (key === 'End') return count - 1;
  if (key === 'Tab') return (index + 1) % count;
  if (key.length !== 1 || key === ' ') return undefined;
  const found = all.findIndex((one) => one.textContent?.trim().toLowerCase().startsWith(key.toLowerCase()));
  return found < 0 ? undefined : found;
}
