import { vitePreprocess } from "@sveltejs/vite-plugin-svelte";

export default {
  preprocess: vitePreprocess(),
  compilerOptions: {
    runes: true,
    // Built with createElement and not innerHTML: the page's policy demands trusted types.
    fragments: "tree",
  },
};
