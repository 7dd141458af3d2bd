// Compiles documents as MDX, with GFM, and says what is in them that is more than text:
//   node mdx_nodes.mjs MDX_FOLDER GFM_FOLDER FILE
// FILE holds {"name": "text", …}; it prints {"name": {"error": …} or {"nodes": [[type, …], …]}, …}.
import {readFileSync} from 'node:fs'

const [mdxFolder, gfmFolder, file] = process.argv.slice(2)
const {compile} = await import(`${mdxFolder}/node_modules/@mdx-js/mdx/index.js`)
const {default: remarkGfm} = await import(`${gfmFolder}/node_modules/remark-gfm/index.js`)

const about = {
  mdxJsxTextElement: (node) => [node.name, node.attributes.length],
  mdxJsxFlowElement: (node) => [node.name, node.attributes.length],
  mdxTextExpression: (node) => [node.value],
  mdxFlowExpression: (node) => [node.value],
  mdxjsEsm: (node) => [node.value],
  html: (node) => [node.value],
  link: (node) => [node.url],
  image: (node) => [node.url],
  definition: (node) => [node.url],
  linkReference: (node) => [node.label],
  imageReference: (node) => [node.label],
  footnoteReference: (node) => [node.label],
  footnoteDefinition: (node) => [node.label],
  delete: () => [],
  emphasis: () => [],
  inlineCode: (node) => [node.value],
}

const collect = (into) => () => (tree) => {
  const visit = (node) => {
    if (node.type in about) into.push([node.type, ...about[node.type](node)])
    for (const child of node.children ?? []) visit(child)
  }
  visit(tree)
}

const said = {}
for (const [name, text] of Object.entries(JSON.parse(readFileSync(file, 'utf8')))) {
  const nodes = []
  try {
    await compile(text, {remarkPlugins: [remarkGfm, collect(nodes)]})
    said[name] = {nodes}
  } catch (error) {
    said[name] = {error: String(error)}
  }
}
process.stdout.write(JSON.stringify(said))
