using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace FailoverHub.Web.Data.Backup;

/// <summary>What is in a backup: its first file, by which the others are checked.</summary>
internal sealed record BackupManifest
{
    public const string FileName = "manifest.json";
    public const string ThisFormat = "failoverhub-backup";
    public const int ThisVersion = 1;

    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        RespectNullableAnnotations = true,
        WriteIndented = true,
    };

    /// <summary>Always <see cref="ThisFormat"/>.</summary>
    public required string Format { get; init; }

    /// <summary>Of this format.</summary>
    public required int Version { get; init; }

    /// <summary>Names this backup in the audit.</summary>
    public required string Id { get; init; }

    /// <summary>Version of the hub that made it.</summary>
    public required string HubVersion { get; init; }

    /// <summary>The newest migration of the database in it: a program that does not know that one is too old to use it.</summary>
    public required string Schema { get; init; }

    /// <summary>When, UTC.</summary>
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>Every other file.</summary>
    public required IReadOnlyList<BackupFile> Files { get; init; }

    public byte[] ToJson() => JsonSerializer.SerializeToUtf8Bytes(this, Json);

    /// <summary>Null: it is none, or of a version that this program does not know.</summary>
    public static BackupManifest? Parse(byte[] json)
    {
        try
        {
            return JsonSerializer.Deserialize<BackupManifest>(json, Json) is { Format: ThisFormat, Version: ThisVersion } manifest ? manifest : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }
}

/// <summary>A file of the data folder.</summary>
/// <param name="Path">Relative, with '/'.</param>
/// <param name="Size">Bytes.</param>
/// <param name="Sha256">Lower-case hex.</param>
internal sealed record BackupFile(string Path, long Size, string Sha256)
{
    public static async Task<BackupFile> OfAsync(string path, Stream stream, CancellationToken cancellationToken)
    {
        return new BackupFile(path, stream.Length, Convert.ToHexStringLower(await SHA256.HashDataAsync(stream, cancellationToken)));
    }
}

/// <summary>A backup cannot be made or used; the message says why and what to do.</summary>
internal sealed class BackupException(string message, Exception? inner = null) : Exception(message, inner);
