// In a page whose <main> has a <section> for each document: puts into #report what is active there, as JSON.
// `allowed` and `scanned` are given by the page: tag → attributes for each kind of document, and what GitHub, which
// looks between tags after rendering, would make a mention, a reference or a link of.
addEventListener('load', () => {
  const found = []
  const sections = [...document.querySelector('main').children]
  for (const section of sections) {
    const say = (what) => found.push(`${section.dataset.name}: ${what}`)
    const tags = allowed[section.dataset.kind]
    for (const node of section.querySelectorAll('*')) {
      const name = node.localName
      if (!(name in tags)) say(`<${name}>`)
      for (const attribute of node.attributes) {
        if (!(tags[name] ?? []).includes(attribute.name)) say(`${attribute.name}="${attribute.value}"`)
      }
      for (const place of ['href', 'src']) {
        const target = node.getAttribute(place)
        if (target !== null && !/^[\w./%+=~-]+\.(md|txt|svg)$/.test(target)) say(`${place}="${target}"`)
      }
    }
    const walker = document.createTreeWalker(section, NodeFilter.SHOW_TEXT | NodeFilter.SHOW_COMMENT)
    while (walker.nextNode()) {
      const {nodeType, data, parentElement} = walker.currentNode
      if (nodeType === Node.COMMENT_NODE && !/^ specweave:[^<>]*$/.test(data)) say(`<!--${data}-->`)
      if (nodeType !== Node.TEXT_NODE || section.dataset.kind !== 'markdown' || parentElement.closest('code')) continue
      const hit = scanned.exec(data)
      if (hit) say(`"${hit[0]}" in "${data}"`)
    }
  }
  const report = {sections: sections.map((section) => section.dataset.name), found, ran}
  document.getElementById('report').textContent = JSON.stringify(report)
})
