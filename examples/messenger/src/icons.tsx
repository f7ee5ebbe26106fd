/** Pictures of buttons, drawn in the colour of their text, as those of the service's own pages. */

/** Lines in a box of 24 by 24. */
const SHAPES = {
  add: "M12 5v14M5 12h14",
  back: "M15 5l-7 7 7 7",
  bell: "M6 16.500V11a6 6 0 0 1 12 0v5.500l1.500 1.500h-15zM10 20.500h4",
  check: "m5 12.500 4.500 4.500L19 7.500",
  checks: "m2 12.500 4.500 4.500L16 7.500M11 15.500l1.500 1.500L22 7.500",
  clock: "M12 4a8 8 0 1 0 0 16 8 8 0 0 0 0-16zM12 8v4.500l3 1.700",
  close: "m6 6 12 12M18 6 6 18",
  down: "M12 5v14M6 13l6 6 6-6",
  edit: "M4 20l1-4L16.500 4.500l3 3L8 19zM14 7l3 3",
  failed: "M12 4a8 8 0 1 0 0 16 8 8 0 0 0 0-16zM12 8v5M12 16v.1",
  file: "M7 3.500h7L18.500 8v12.500H7zM13.500 3.500V8.500H18.500",
  attach: "M8 12.500l6-6a3 3 0 0 1 4.200 4.200l-8 8a5 5 0 0 1-7-7l7.500-7.500",
  people:
    "M9 5a3.5 3.5 0 1 0 0 7 3.5 3.5 0 0 0 0-7zM2.5 19.5a6.5 6.5 0 0 1 13 0M15.5 5.300a3.5 3.5 0 0 1 0 6.400M18 13.800a6.5 6.5 0 0 1 3.5 5.7",
  remove: "M5 7h14M9.500 7V4.500h5V7M7 7l1 12.500h8L17 7",
  reply: "M9 6 4 11l5 5M4.500 11H14a5.500 5.500 0 0 1 5.500 5.500V18",
  search: "M10.500 4.500a6 6 0 1 0 0 12 6 6 0 0 0 0-12zM15 15l5 5",
  send: "M4 12 20 4.500 15 20l-3.500-6.500zM11.500 13.500 20 4.500",
  smile: "M12 4a8 8 0 1 0 0 16 8 8 0 0 0 0-16zM8.500 14a4.200 4.200 0 0 0 7 0M9 9.500v.6M15 9.500v.6",
};

export function Icon({ name, size = 20 }: { name: keyof typeof SHAPES; size?: number }) {
  return (
    <svg
      viewBox="0 0 24 24"
      width={size}
      height={size}
      fill="none"
      stroke="currentColor"
      strokeWidth={1.8}
      strokeLinecap="round"
      strokeLinejoin="round"
      aria-hidden="true"
      className="drawn"
    >
      <path d={SHAPES[name]} />
    </svg>
  );
}

type IconButtonProps = {
  name: keyof typeof SHAPES;
  label: string;
  onClick: () => void;
  isPressed?: boolean;
  tabIndex?: number;
  size?: number;
};

export function IconButton({ name, label, onClick, isPressed, tabIndex, size }: IconButtonProps) {
  return (
    <button
      type="button"
      className="icon"
      aria-label={label}
      title={label}
      aria-pressed={isPressed}
      tabIndex={tabIndex}
      onClick={onClick}
    >
      <Icon name={name} size={size ?? 20} />
    </button>
  );
}
