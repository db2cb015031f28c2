using System.Collections.Immutable;

namespace FailoverHub.Web.Alerts.Book;

/// <summary>What is active, what is about to be, and what is shelved. A value: <see cref="AlertReducer"/> makes the next one.</summary>
internal sealed record AlertBook
{
    /// <summary>Active alerts; of each key one.</summary>
    public ImmutableDictionary<AlertKey, Alert> Active { get; init; } = ImmutableDictionary<AlertKey, Alert>.Empty;

    /// <summary>How long something has been wrong that is no alert yet: not kept over a restart, after which it counts anew.</summary>
    public ImmutableDictionary<AlertKey, Lasting> Rising { get; init; } = ImmutableDictionary<AlertKey, Lasting>.Empty;

    /// <summary>How long something has been right again that is still an alert, likewise.</summary>
    public ImmutableDictionary<AlertKey, Lasting> Clearing { get; init; } = ImmutableDictionary<AlertKey, Lasting>.Empty;

    /// <summary>Ids of operations whose failure somebody has acknowledged, and when: that ended it. Kept for as long as any rule calls an operation news.</summary>
    public ImmutableDictionary<string, DateTimeOffset> Seen { get; init; } = ImmutableDictionary<string, DateTimeOffset>.Empty;

    /// <summary>No rule calls an operation news for longer.</summary>
    public static readonly TimeSpan SeenFor = TimeSpan.FromHours(168);

    /// <summary>When an active alert was last written, by the hub's uptime: its sentence may change each second.</summary>
    public ImmutableDictionary<AlertKey, TimeSpan> Written { get; init; } = ImmutableDictionary<AlertKey, TimeSpan>.Empty;

    /// <summary>When people were last told of an active alert, likewise; of what an earlier run told, when that was found.</summary>
    public ImmutableDictionary<AlertKey, TimeSpan> Told { get; init; } = ImmutableDictionary<AlertKey, TimeSpan>.Empty;

    /// <summary>Active alerts that stand otherwise here than on the disk.</summary>
    public ImmutableHashSet<AlertKey> Unwritten { get; init; } = [];

    public ImmutableDictionary<AlertKey, AlertShelf> Shelves { get; init; } = ImmutableDictionary<AlertKey, AlertShelf>.Empty;

    public static AlertBook Empty { get; } = new();

    public Alert? Find(string id) => Active.Values.FirstOrDefault(a => a.Id == id);
}

/// <summary>Whom to tell what.</summary>
/// <param name="Alert">As it stands then.</param>
/// <param name="Kind">What.</param>
/// <param name="Channels">Ids.</param>
internal sealed record AlertNotice(Alert Alert, AlertNoticeKind Kind, ImmutableArray<string> Channels);

/// <summary>Something that happened to an alert, for the history.</summary>
internal sealed record AlertEvent(Alert Alert, string Kind, string Text);

/// <summary>The next book, and what has to be written with it in one transaction.</summary>
internal sealed record AlertStep(AlertBook Book)
{
    /// <summary>Alerts that are new or stand otherwise, each once.</summary>
    public ImmutableArray<Alert> Changed { get; init; } = [];

    public ImmutableArray<AlertNotice> Notices { get; init; } = [];

    public ImmutableArray<AlertEvent> Events { get; init; } = [];

    /// <summary>Shelves that are new; null: it is gone.</summary>
    public ImmutableArray<(AlertKey Key, AlertShelf? Shelf)> Shelves { get; init; } = [];

    public bool NeedsWriting => Changed.Length + Notices.Length + Events.Length + Shelves.Length > 0;
}
