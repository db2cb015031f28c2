using System.Collections.Immutable;
using FailoverHub.Web.History;

namespace FailoverHub.Web.Components.Pages.History;

/// <summary>
/// What one page has read of the history with one filter: newest first, growing at the top while it is live and at the
/// bottom when older entries are asked for. Used from one page's dispatcher only.
/// </summary>
/// <param name="id">The growing number of an entry.</param>
/// <param name="read">Reads one page: cursor, limit.</param>
internal sealed class HistoryFeed<T>(Func<T, long> id, Func<string?, int, CancellationToken, Task<HistoryPage<T>>> read)
{
    /// <summary>Entries of one reading.</summary>
    public const int PageSize = 100;

    /// <summary>A page that has been open for days starts anew instead of growing without end.</summary>
    public const int Most = 1000;

    public ImmutableArray<T> Items { get; private set; } = [];

    public string? NextCursor { get; private set; }

    /// <summary>The first page has been read.</summary>
    public bool IsRead { get; private set; }

    /// <summary>There are older entries than those that are shown.</summary>
    public bool HasOlder => NextCursor is not null;

    /// <summary>So many are shown that no older ones are added: the filter finds them.</summary>
    public bool IsFull => Items.Length >= Most;

    /// <summary>Takes up what is newer than the newest known entry.</summary>
    public async Task RefreshAsync(CancellationToken cancellationToken)
    {
        HistoryPage<T> page = await read(null, PageSize, cancellationToken);
        long newest = Items.IsEmpty ? long.MinValue : id(Items[0]);
        ImmutableArray<T> newer = [.. page.Items.TakeWhile(item => id(item) > newest)];
        bool joins = newer.Length < page.Items.Length && newer.Length + Items.Length <= Most;
        if (joins && IsRead)
        {
            Items = [.. newer, .. Items];
        }
        else
        {
            Items = page.Items;
            NextCursor = page.NextCursor;
        }

        IsRead = true;
    }

    /// <summary>Takes up one page of older entries.</summary>
    public async Task LoadOlderAsync(CancellationToken cancellationToken)
    {
        if (NextCursor is not { } cursor || IsFull)
        {
            return;
        }

        HistoryPage<T> page = await read(cursor, PageSize, cancellationToken);
        if (NextCursor == cursor)
        {
            Items = [.. Items, .. page.Items];
            NextCursor = page.NextCursor;
        }
    }
}
