using Microsoft.EntityFrameworkCore;

namespace FailoverHub.Web.Data;

/// <summary>What is probed from where: its number stands for it in all the rows below.</summary>
internal sealed class ProbeSeriesEntity
{
    public int Id { get; set; }

    /// <summary>A shared prefix as CIDR text, or the id of another target.</summary>
    public required string Target { get; set; }

    /// <summary>"hub", or the id of the node that probes.</summary>
    public required string Vantage { get; set; }

    /// <summary>From one probe to the next when nothing happens.</summary>
    public required int IntervalMs { get; set; }
}

/// <summary>Probes of many series within a minute that is not over yet, in the order of their coming; gone when the minute is packed.</summary>
internal sealed class ProbeJournalEntity
{
    public long Id { get; set; }

    /// <summary>Minutes since 1970 UTC.</summary>
    public required long Minute { get; set; }

    public required byte[] Data { get; set; }
}

/// <summary>The single probes of a series in one minute.</summary>
internal sealed class RawProbesEntity
{
    /// <summary>Minutes since 1970 UTC.</summary>
    public required long Minute { get; set; }

    public required int SeriesId { get; set; }

    public required byte[] Data { get; set; }
}

/// <summary>What the probes of a series come to, for each minute of an hour.</summary>
internal sealed class MinuteRollupsEntity
{
    /// <summary>Hours since 1970 UTC.</summary>
    public required long Hour { get; set; }

    public required int SeriesId { get; set; }

    public required byte[] Data { get; set; }

    /// <summary>The row of its day does not have this hour yet, or not as it is now.</summary>
    public required bool Open { get; set; }
}

/// <summary>What the probes of a series come to, for each hour of a day.</summary>
internal sealed class HourRollupsEntity
{
    public required int SeriesId { get; set; }

    /// <summary>Days since 1970 UTC.</summary>
    public required long Day { get; set; }

    public required byte[] Data { get; set; }
}

/// <summary>Something that operators have probed beside the addresses that are found in the fleet.</summary>
internal sealed class ProbeTargetEntity
{
    /// <summary>As it is written; unique without regard to case by <see cref="NameKey"/>.</summary>
    public required string Name { get; set; }

    public required string NameKey { get; set; }

    /// <summary>"icmp", "tcp" or "http".</summary>
    public required string Kind { get; set; }

    /// <summary>An address, or a URL.</summary>
    public required string Address { get; set; }

    public required int IntervalMs { get; set; }

    /// <summary>What else the kind wants to know, as JSON: port, status, pattern, certificate.</summary>
    public required string Options { get; set; }

    public required long ChangedAtMs { get; set; }
}

/// <summary>What a move of an address cost, by the probes of one vantage point.</summary>
internal sealed class OutageEntity
{
    public long Id { get; set; }

    /// <summary>When the move was seen or asked for.</summary>
    public required long AtMs { get; set; }

    /// <summary>Name of the pair at that time.</summary>
    public required string Pair { get; set; }

    /// <summary>CIDR text.</summary>
    public required string Prefix { get; set; }

    public required string Vantage { get; set; }

    /// <summary>"switchover", "failback", "failover" …</summary>
    public required string Kind { get; set; }

    /// <summary>Null: nobody had asked for it.</summary>
    public string? OperationId { get; set; }

    public string? FromNode { get; set; }

    public string? ToNode { get; set; }

    /// <summary>When the first unanswered probe was sent; null: every one was answered.</summary>
    public long? FirstLossMs { get; set; }

    public long? LastLossMs { get; set; }

    public required int Sent { get; set; }

    public required int Lost { get; set; }

    /// <summary>From one answer to the next with an unanswered probe between.</summary>
    public required long LongestMs { get; set; }

    /// <summary>From the first to the last unanswered probe of that time; null: measured before that was kept.</summary>
    public long? ShortestMs { get; set; }

    /// <summary>So long of that time nobody probed; null: it was probed all the time.</summary>
    public long? UnprobedMs { get; set; }

    /// <summary>It had not ended when it was measured.</summary>
    public required bool GoesOn { get; set; }

    /// <summary>From one probe to the next while it lasted.</summary>
    public required int ResolutionMs { get; set; }
}

/// <summary>
/// The tables of probes. Those that are written each minute have the time first in their key, so that what is written together lies together; the one
/// that is read over a year has the series first.
/// </summary>
internal static class ProbeModel
{
    public static void Configure(ModelBuilder modelBuilder)
    {
        modelBuilder.Entity<ProbeSeriesEntity>(e =>
        {
            e.ToTable("ProbeSeries");
            e.HasKey(s => s.Id);
            e.HasIndex(s => new { s.Target, s.Vantage }).IsUnique();
        });
        modelBuilder.Entity<ProbeJournalEntity>(e =>
        {
            e.ToTable("ProbeJournal");
            e.HasKey(j => j.Id);
        });
        modelBuilder.Entity<RawProbesEntity>(e =>
        {
            e.ToTable("RawProbes");
            e.HasKey(r => new { r.Minute, r.SeriesId });
        });
        modelBuilder.Entity<MinuteRollupsEntity>(e =>
        {
            e.ToTable("MinuteRollups");
            e.HasKey(m => new { m.Hour, m.SeriesId });
            e.HasIndex(m => new { m.SeriesId, m.Hour }).HasFilter("\"Open\"").HasDatabaseName("IX_MinuteRollups_Open");
        });
        modelBuilder.Entity<ProbeTargetEntity>(e =>
        {
            e.ToTable("ProbeTargets");
            e.HasKey(t => t.NameKey);
        });
        modelBuilder.Entity<OutageEntity>(e =>
        {
            e.ToTable("Outages");
            e.HasKey(o => o.Id);
            e.HasIndex(o => new { o.Pair, o.AtMs });
            e.HasIndex(o => o.OperationId);
            e.HasIndex(o => o.AtMs);
        });
        modelBuilder.Entity<HourRollupsEntity>(e =>
        {
            e.ToTable("HourRollups");
            e.HasKey(h => new { h.SeriesId, h.Day });
            e.HasIndex(h => h.Day);
        });
    }
}
