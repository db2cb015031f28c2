using System.Globalization;
using System.Text;
using System.Text.Json;
using CsvHelper;
using CsvHelper.Configuration;
using FailoverHub.Web.History;

namespace FailoverHub.Web.Api.Exports;

/// <summary>
/// One export on its way out: a page of the history is read, written and forgotten before the next, so that a million entries need no more memory
/// than 500. When it breaks half-way the connection is broken too: a file that is not whole does not look whole.
/// </summary>
/// <param name="read">Reads one page, newest first: cursor, limit.</param>
/// <param name="map">Into the API's own types.</param>
/// <param name="columns">For CSV.</param>
internal sealed class HistoryExport<TIn, TOut>(Func<string?, int, CancellationToken, Task<HistoryPage<TIn>>> read, Func<TIn, TOut> map, CsvColumn<TOut>[] columns)
{
    private const int PageSize = 500;

    // A spreadsheet takes what begins so for a formula, also with the wide forms of the signs; then an apostrophe is put before it.
    private static readonly CsvConfiguration Csv = new(CultureInfo.InvariantCulture)
    {
        InjectionOptions = InjectionOptions.Escape,
        InjectionCharacters = ['=', '+', '-', '@', '\t', '\r', '\uFF1D', '\uFF0B', '\uFF0D', '\uFF20'],
        NewLine = "\r\n",
    };

    public async Task WriteCsvAsync(Stream output, CancellationToken cancellationToken)
    {
        await output.WriteAsync(Rows((csv, names) => Array.ForEach(names, n => csv.WriteField(n)), new[] { columns.Select(c => c.Name).ToArray() }), cancellationToken);
        await foreach (var page in PagesAsync(cancellationToken))
        {
            await output.WriteAsync(Rows((csv, item) => Array.ForEach(columns, c => csv.WriteField(c.Of(item))), page), cancellationToken);
            await output.FlushAsync(cancellationToken);
        }
    }

    public async Task WriteJsonAsync(Stream output, CancellationToken cancellationToken)
    {
        bool first = true;
        await output.WriteAsync("["u8.ToArray(), cancellationToken);
        await foreach (var page in PagesAsync(cancellationToken))
        {
            foreach (TOut item in page)
            {
                await output.WriteAsync(first ? "\n"u8.ToArray() : ",\n"u8.ToArray(), cancellationToken);
                await output.WriteAsync(JsonSerializer.SerializeToUtf8Bytes(item, ApiJson.Options), cancellationToken);
                first = false;
            }

            await output.FlushAsync(cancellationToken);
        }

        await output.WriteAsync("\n]\n"u8.ToArray(), cancellationToken);
    }

    private async IAsyncEnumerable<List<TOut>> PagesAsync([System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        string? cursor = null;
        do
        {
            HistoryPage<TIn> page = await read(cursor, PageSize, cancellationToken);
            yield return [.. page.Items.Select(map)];
            cursor = page.NextCursor;
        }
        while (cursor is not null);
    }

    private static byte[] Rows<T>(Action<CsvWriter, T> row, IEnumerable<T> items)
    {
        using var text = new StringWriter(CultureInfo.InvariantCulture);
        using (var csv = new CsvWriter(text, Csv, leaveOpen: true))
        {
            foreach (T item in items)
            {
                row(csv, item);
                csv.NextRecord();
            }
        }

        return Encoding.UTF8.GetBytes(text.ToString());
    }
}
