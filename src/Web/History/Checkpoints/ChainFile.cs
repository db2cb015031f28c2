using System.Text.Json;
using System.Text.Json.Serialization;
using FailoverHub.Web.Data;

namespace FailoverHub.Web.History.Checkpoints;

/// <summary>
/// An exported audit: JSON Lines, one object a line, told apart by "type". First "header" (format, version, when, the hub's public key), then each "entry"
/// from number 1 with every field that its hash is made of, each "checkpoint" right after the entry that it signs, at last "end" with what was
/// written, so that a file that was cut short shows it. The one place where these lines meet our own types.
/// </summary>
internal static class ChainFile
{
    public const string Format = "failoverhub-audit";
    public const int Version = 1;

    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        AllowDuplicateProperties = false,
        NumberHandling = JsonNumberHandling.Strict,
        PropertyNameCaseInsensitive = false,
        RespectNullableAnnotations = true,
    };

    public static byte[] Header(DateTimeOffset at, AuditKey key) => Line(new HeaderLine { Format = Format, Version = Version, ExportedAtMs = at.ToUnixTimeMilliseconds(), KeyId = key.Id, PublicKey = key.PublicKey });

    public static byte[] End(AuditVerification written) => Line(new EndLine { Entries = written.Entries, Checkpoints = written.Checkpoints, HeadHash = written.HeadHash });

    public static byte[] Of(AuditEntity entry) => Line(new EntryLine
    {
        Id = entry.Id,
        AtMs = entry.AtMs,
        HappenedAtMs = entry.HappenedAtMs,
        Actor = entry.Actor,
        RemoteAddress = entry.RemoteAddress,
        ForwardedFor = entry.ForwardedFor,
        Action = entry.Action,
        Target = entry.Target,
        Reason = entry.Reason,
        Before = entry.Before,
        After = entry.After,
        Outcome = entry.Outcome,
        CorrelationId = entry.CorrelationId,
        PreviousHash = entry.PreviousHash,
        Hash = entry.Hash,
    });

    public static byte[] Of(AuditCheckpoint checkpoint) => Line(new CheckpointLine
    {
        Id = checkpoint.Id,
        AtMs = checkpoint.At.ToUnixTimeMilliseconds(),
        EntryId = checkpoint.EntryId,
        EntryHash = checkpoint.EntryHash,
        KeyId = checkpoint.KeyId,
        PublicKey = checkpoint.PublicKey,
        Signature = checkpoint.Signature,
    });

    /// <summary>What a line says; null: nothing that belongs into such a file.</summary>
    public static ChainLine? Parse(string line)
    {
        try
        {
            return JsonSerializer.Deserialize<ChainLine>(line, Json);
        }
        catch (Exception e) when (e is JsonException or NotSupportedException)
        {
            return null;
        }
    }

    public static AuditEntity ToEntity(EntryLine line) => new()
    {
        Id = line.Id,
        AtMs = line.AtMs,
        HappenedAtMs = line.HappenedAtMs,
        Actor = line.Actor,
        RemoteAddress = line.RemoteAddress,
        ForwardedFor = line.ForwardedFor,
        Action = line.Action,
        Target = line.Target,
        Reason = line.Reason,
        Before = line.Before,
        After = line.After,
        Outcome = line.Outcome,
        CorrelationId = line.CorrelationId,
        PreviousHash = line.PreviousHash,
        Hash = line.Hash,
    };

    /// <returns>Null: its time is none.</returns>
    public static AuditCheckpoint? ToCheckpoint(CheckpointLine line) => line.AtMs is < 0 or > 253_402_300_799_999 ? null : new()
    {
        Id = line.Id,
        At = DateTimeOffset.FromUnixTimeMilliseconds(line.AtMs),
        EntryId = line.EntryId,
        EntryHash = line.EntryHash,
        KeyId = line.KeyId,
        PublicKey = line.PublicKey,
        Signature = line.Signature,
    };

    private static byte[] Line(ChainLine line) => [.. JsonSerializer.SerializeToUtf8Bytes(line, Json), (byte)'\n'];
}

/// <summary>A line of the file.</summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "type")]
[JsonDerivedType(typeof(HeaderLine), "header")]
[JsonDerivedType(typeof(EntryLine), "entry")]
[JsonDerivedType(typeof(CheckpointLine), "checkpoint")]
[JsonDerivedType(typeof(EndLine), "end")]
internal abstract record ChainLine;

/// <summary>The first one.</summary>
internal sealed record HeaderLine : ChainLine
{
    public required string Format { get; init; }

    public required int Version { get; init; }

    public required long ExportedAtMs { get; init; }

    public required string KeyId { get; init; }

    public required string PublicKey { get; init; }
}

/// <summary>An audit entry, with the fields that its hash is made of.</summary>
internal sealed record EntryLine : ChainLine
{
    public required long Id { get; init; }

    public required long AtMs { get; init; }

    public required long? HappenedAtMs { get; init; }

    public required string Actor { get; init; }

    public required string? RemoteAddress { get; init; }

    public required string? ForwardedFor { get; init; }

    public required string Action { get; init; }

    public required string Target { get; init; }

    public required string? Reason { get; init; }

    public required string? Before { get; init; }

    public required string? After { get; init; }

    public required string Outcome { get; init; }

    public required string? CorrelationId { get; init; }

    public required string PreviousHash { get; init; }

    public required string Hash { get; init; }
}

/// <summary>A signature over the entry before it.</summary>
internal sealed record CheckpointLine : ChainLine
{
    public required long Id { get; init; }

    public required long AtMs { get; init; }

    public required long EntryId { get; init; }

    public required string EntryHash { get; init; }

    public required string KeyId { get; init; }

    public required string PublicKey { get; init; }

    public required string Signature { get; init; }
}

/// <summary>The last one.</summary>
internal sealed record EndLine : ChainLine
{
    public required long Entries { get; init; }

    public required long Checkpoints { get; init; }

    public required string HeadHash { get; init; }
}
