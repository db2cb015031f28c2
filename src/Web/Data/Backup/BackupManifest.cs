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

    /// <summary>The file itself, as <see cref="DataFolder.DatabaseName"/>.</summary>
    public const string Sqlite = "sqlite";

    /// <summary>Each table as the server's binary COPY writes it (<see cref="PostgresDump"/>).</summary>
    public const string Postgres = "postgresql";

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

    /// <summary>What kind of database is in it: <see cref="Sqlite"/> or <see cref="Postgres"/>. Backups of before there was a second kind do not say it.</summary>
    public string Database { get; init; } = Sqlite;

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
            return JsonSerializer.Deserialize<BackupManifest>(json, Json) is { Format: ThisFormat, Version: ThisVersion, Database: Sqlite or Postgres } manifest ? manifest : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }
}

/// <summary>A file of the data folder, or what a database on a server is kept as.</summary>
/// <param name="Path">Relative, with '/'; below <see cref="PostgresDump.Folder"/>: of the database.</param>
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
