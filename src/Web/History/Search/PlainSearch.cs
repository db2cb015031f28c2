using FailoverHub.Web.Data;
using Microsoft.EntityFrameworkCore;

namespace FailoverHub.Web.History.Search;

/// <summary>The search of a database that has no index of terms: by the ordinary indexes, and words anywhere in the text.</summary>
internal sealed class PlainSearch : IHistorySearch
{
    public static readonly PlainSearch Instance = new();

    private const string Escape = "\\";

    private PlainSearch()
    {
    }

    public Task<List<EventEntity>> EventsAsync(HubDbContext db, HistoryFilter filter, long before, int limit, CancellationToken cancellationToken) =>
        Filtered(db.Events.AsNoTracking(), filter).Where(e => e.Id < before).OrderByDescending(e => e.Id).Take(limit).ToListAsync(cancellationToken);

    public Task<List<AuditEntity>> AuditAsync(HubDbContext db, HistoryFilter filter, long before, int limit, CancellationToken cancellationToken) =>
        Filtered(db.Audit.AsNoTracking(), filter).Where(a => a.Id < before).OrderByDescending(a => a.Id).Take(limit).ToListAsync(cancellationToken);

    public Task AddAsync(HubDbContext db, IReadOnlyCollection<EventEntity> events, IReadOnlyCollection<AuditEntity> audit, CancellationToken cancellationToken) => Task.CompletedTask;

    public Task RemoveAsync(HubDbContext db, IReadOnlyCollection<EventEntity> events, CancellationToken cancellationToken) => Task.CompletedTask;

    public Task CatchUpAsync(HubDbContext db, CancellationToken cancellationToken) => Task.CompletedTask;

    private static IQueryable<EventEntity> Filtered(IQueryable<EventEntity> query, HistoryFilter filter)
    {
        var from = filter.From?.ToUnixTimeMilliseconds();
        var to = filter.To?.ToUnixTimeMilliseconds();
        query = from is null ? query : query.Where(e => e.AtMs >= from);
        query = to is null ? query : query.Where(e => e.AtMs < to);
        query = filter.Pair is null ? query : query.Where(e => e.Pair == filter.Pair);
        query = filter.Node is null ? query : query.Where(e => e.Node == filter.Node);
        query = filter.Kind is null ? query : query.Where(e => e.Kind == filter.Kind);
        query = filter.MinimumSeverity is null ? query : query.Where(e => e.Severity >= filter.MinimumSeverity);
        query = filter.OperationId is null ? query : query.Where(e => e.OperationId == filter.OperationId);
        return Words(filter.Text).Aggregate(query, (q, word) => q.Where(e => EF.Functions.Like(e.Text, word, Escape)));
    }

    private static IQueryable<AuditEntity> Filtered(IQueryable<AuditEntity> query, HistoryFilter filter)
    {
        var from = filter.From?.ToUnixTimeMilliseconds();
        var to = filter.To?.ToUnixTimeMilliseconds();
        var pair = filter.Pair is null ? null : AuditTarget.Pair(filter.Pair);
        var node = filter.Node is null ? null : AuditTarget.Node(filter.Node);
        query = from is null ? query : query.Where(a => a.AtMs >= from);
        query = to is null ? query : query.Where(a => a.AtMs < to);
        query = pair is null ? query : query.Where(a => a.Target == pair || EF.Functions.Like(a.Target, "% of " + LikeText(pair), Escape));
        query = node is null ? query : query.Where(a => a.Target == node || EF.Functions.Like(a.Target, LikeText(node) + " of %", Escape));
        query = filter.Kind is null ? query : query.Where(a => a.Action == filter.Kind);
        query = filter.Actor is null ? query : query.Where(a => a.Actor == filter.Actor);
        query = filter.OperationId is null ? query : query.Where(a => a.CorrelationId == filter.OperationId);
        return Words(filter.Text).Aggregate(query, (q, word) => q.Where(a =>
            EF.Functions.Like(a.Target, word, Escape) || EF.Functions.Like(a.Reason, word, Escape) || EF.Functions.Like(a.Outcome, word, Escape)
            || EF.Functions.Like(a.Actor, word, Escape) || EF.Functions.Like(a.Action, word, Escape)));
    }

    private static IEnumerable<string> Words(string? text) =>
        HistoryFilter.WordsOf(text).Take(HistoryFilter.MaxWords).Select(w => $"%{LikeText(w.TrimEnd('*'))}%");

    private static string LikeText(string text) =>
        text.Replace(Escape, Escape + Escape, StringComparison.Ordinal).Replace("%", Escape + "%", StringComparison.Ordinal).Replace("_", Escape + "_", StringComparison.Ordinal);
}
