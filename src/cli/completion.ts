// `proctor completion`: commands and options for the shell, made from the commands themselves.
import type { Command } from "commander";

const shells = ["bash", "zsh", "fish"] as const;

export function addCompletion(program: Command): void {
  const command = program.command("completion").description("print the completions of a shell");
  for (const shell of shells)
    command
      .command(shell)
      .description(`completions of ${shell}`)
      .action(() => {
        process.stdout.write(scripts[shell](program));
      });
}

const scripts: Record<(typeof shells)[number], (program: Command) => string> = {
  bash: (program) => `${functionOf(program)}complete -o default -F _proctor proctor\n`,
  zsh: (program) =>
    `autoload -U +X bashcompinit && bashcompinit\n${functionOf(program)}complete -o default -F _proctor proctor\n`,
  fish: (program) =>
    program.commands
      .flatMap((command) => [
        `complete -c proctor -n __fish_use_subcommand -a ${command.name()} -d ${quoted(command.description())}`,
        ...command.options.flatMap(({ long, description }) =>
          long == null
            ? []
            : `complete -c proctor -n '__fish_seen_subcommand_from ${command.name()}' -l ${long.slice(2)} -d ${quoted(description)}`,
        ),
      ])
      .map((line) => `${line}\n`)
      .join(""),
};

function functionOf(program: Command): string {
  const cases = program.commands.map((command) => {
    const words = [
      ...command.options.flatMap(({ long }) => long ?? []),
      ...command.commands.map((one) => one.name()),
    ];
    return `    ${command.name()}) words="${words.join(" ")}" ;;\n`;
  });
  const names = program.commands.map((command) => command.name()).join(" ");
  return `_proctor() {
  local words
  case "\${COMP_WORDS[1]}" in
${cases.join("")}    *) words="" ;;
  esac
  [ "$COMP_CWORD" -eq 1 ] && words="${names}"
  COMPREPLY=($(compgen -W "$words" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
`;
}

function quoted(text: string): string {
  return `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
}
