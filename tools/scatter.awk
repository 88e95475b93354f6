# pca.csv (path,label,"[x, y]") -> an SVG scatter plot, one colour a label; the ten most frequent labels are named.
# The columns hold no escaped quotes in this data: the list is the last, quoted column.
NR > 1 {
    list = $0
    sub(/^.*\[/, "", list)
    sub(/\].*$/, "", list)
    split(list, xy, /, */)
    rest = $0
    sub(/,"?\[[^]]*\]"?$/, "", rest)
    label = rest
    sub(/^.*,/, "", label)
    n++
    x[n] = xy[1] + 0
    y[n] = xy[2] + 0
    of[n] = label
    count[label]++
    if (n == 1 || x[n] < x0) x0 = x[n]
    if (n == 1 || x[n] > x1) x1 = x[n]
    if (n == 1 || y[n] < y0) y0 = y[n]
    if (n == 1 || y[n] > y1) y1 = y[n]
}

function colour(i) {
    return "hsl(" (i * 137) % 360 ",65%,45%)"
}

END {
    print "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 760 520\" font-family=\"sans-serif\" font-size=\"12\">"
    print "<rect width=\"760\" height=\"520\" fill=\"white\"/>"
    for (rank = 1; rank <= 10; rank++) {
        best = ""
        for (label in count)
            if (!(label in place) && (best == "" || count[label] > count[best] || (count[label] == count[best] && label < best)))
                best = label
        if (best == "") break
        place[best] = rank
        printf "<circle cx=\"600\" cy=\"%d\" r=\"5\" fill=\"%s\"/><text x=\"612\" y=\"%d\">%s (%d)</text>\n", 26 + 20 * rank, colour(rank), 30 + 20 * rank, best, count[best]
    }
    for (i = 1; i <= n; i++)
        printf "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"4\" fill=\"%s\" fill-opacity=\"0.75\"/>\n", 20 + 550 * (x[i] - x0) / (x1 > x0 ? x1 - x0 : 1), 500 - 480 * (y[i] - y0) / (y1 > y0 ? y1 - y0 : 1), of[i] in place ? colour(place[of[i]]) : "#bbb"
    print "</svg>"
}
