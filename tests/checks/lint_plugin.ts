/**
 * The rules of this house that Deno's linter does not know.
 *
 * @module
 */

/** Whether a file belongs to the library itself. */
function inLibrary(filename: string, folder: RegExp): boolean {
  return folder.test(filename) && !filename.includes("/tests/");
}

const plugin: Deno.lint.Plugin = {
  name: "house",
  rules: {
    // Every crossing of the border with C stands on one floor.
    "ffi-only": {
      create(context) {
        if (
          !inLibrary(
            context.filename,
            /\/(process|wait|exec|ipc|examples)\/|\/mod\.ts$/,
          )
        ) return {};
        return {
          MemberExpression(node) {
            if (
              node.object.type === "Identifier" &&
              node.object.name === "Deno" &&
              node.property.type === "Identifier" &&
              /^(dlopen|Unsafe)/.test(node.property.name)
            ) {
              context.report({
                node,
                message: `Deno.${node.property.name} belongs in ffi/`,
              });
            }
          },
        };
      },
    },
    // An import map does not travel with a URL.
    "relative-imports": {
      create(context) {
        if (
          !inLibrary(
            context.filename,
            /\/(ffi|process|wait|exec|ipc)\/|\/mod\.ts$/,
          )
        ) return {};
        const check = (
          node:
            | Deno.lint.ImportDeclaration
            | Deno.lint.ExportAllDeclaration
            | Deno.lint.ExportNamedDeclaration,
        ) => {
          const source = node.source?.value;
          if (source !== undefined && !/^(\.\.?\/|node:)/.test(source)) {
            context.report({
              node,
              message: `"${source}" cannot be imported from a URL`,
            });
          }
        };
        return {
          ImportDeclaration: check,
          ExportAllDeclaration: check,
          ExportNamedDeclaration: check,
        };
      },
    },
  },
};

export default plugin;
