using FailoverHub.Web.Data;

namespace FailoverHub.Web.History.Search;

/// <summary>
/// Finds entries of the history by everything that a page or a script may filter by, newest first, and keeps what it needs for that. One for
/// each kind of database; what words mean is the same for all of them and stands in <see cref="SearchTerms"/>.
/// </summary>
internal interface IHistorySearch
{
    /// <summary>Events with a smaller number, newest first.</summary>
    Task<List<EventEntity>> EventsAsync(HubDbContext db, HistoryFilter filter, long before, int limit, CancellationToken cancellationToken);

    /// <summary>Audit entries with a smaller number, newest first.</summary>
    Task<List<AuditEntity>> AuditAsync(HubDbContext db, HistoryFilter filter, long before, int limit, CancellationToken cancellationToken);

    /// <summary>Makes what was just saved findable, in the transaction that the context is in.</summary>
    Task AddAsync(HubDbContext db, IReadOnlyCollection<EventEntity> events, IReadOnlyCollection<AuditEntity> audit, CancellationToken cancellationToken);

    /// <summary>Forgets events that are removed in the same transaction.</summary>
    Task RemoveAsync(HubDbContext db, IReadOnlyCollection<EventEntity> events, CancellationToken cancellationToken);

    /// <summary>Makes findable what was written by a version that kept less. Small steps; after the first time there is nothing to do.</summary>
    Task CatchUpAsync(HubDbContext db, CancellationToken cancellationToken);
}

/// <summary>Which search a database has.</summary>
internal static class HistorySearch
{
    private const string Sqlite = "Microsoft.EntityFrameworkCore.Sqlite";

    public static IHistorySearch Of(HubDbContext db) => db.Database.ProviderName == Sqlite ? SqliteSearch.Instance : PostgresSearch.Instance;
}
