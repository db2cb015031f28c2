using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace FailoverHub.Agent.Identity;

/// <summary>An identity as it stands in <c>hub-identity.json</c>: octets in base64 of DER. One file, so that key and certificate cannot come apart.</summary>
internal sealed record StoredIdentity
{
    public string? Hub { get; init; }

    public string? Node { get; init; }

    public string? NodeId { get; init; }

    /// <summary><c>pinned</c>, <c>given</c> or <c>system</c>.</summary>
    public string? Trust { get; init; }

    /// <summary>With <c>given</c>: the authorities of <c>--hub-ca</c>, as they were at the join.</summary>
    public IReadOnlyList<byte[]?>? ServerAuthorities { get; init; }

    public required DateTimeOffset NotBefore { get; init; }

    public required DateTimeOffset NotAfter { get; init; }

    public required DateTimeOffset RenewAfter { get; init; }

    public string? Fingerprint { get; init; }

    public byte[]? Authority { get; init; }

    public byte[]? Certificate { get; init; }

    public byte[]? Key { get; init; }

    public static byte[] Write(HubIdentity identity) => JsonSerializer.SerializeToUtf8Bytes(
        new StoredIdentity
        {
            Hub = identity.Hub.ToString(),
            Node = identity.Node,
            NodeId = identity.NodeId,
            Trust = identity.Trust switch
            {
                HubTrust.Pinned => "pinned",
                HubTrust.Given => "given",
                _ => "system",
            },
            ServerAuthorities = identity.Trust is HubTrust.Given given ? [.. given.Authorities.Select(authority => authority.ToArray())] : null,
            NotBefore = identity.Times.NotBefore,
            NotAfter = identity.Times.NotAfter,
            RenewAfter = identity.Times.RenewAfter,
            Fingerprint = identity.Fingerprint,
            Authority = [.. identity.Authority],
            Certificate = [.. identity.Certificate],
            Key = [.. identity.Key],
        },
        IdentityJson.Default.StoredIdentity);

    /// <summary>Null: it is none. Nothing is computed here: a start is not to wait for a library of ciphers, and what is wrong with a key is said when it is used.</summary>
    public static HubIdentity? Read(ReadOnlySpan<byte> content)
    {
        StoredIdentity? stored;
        try
        {
            stored = JsonSerializer.Deserialize(content, IdentityJson.Default.StoredIdentity);
        }
        catch (JsonException)
        {
            return null;
        }

        if (stored is not { Node: { } node, NodeId: { } nodeId, Fingerprint: { Length: > 0 } fingerprint, Authority: { } authority, Certificate: { } certificate, Key: { } key }
            || !Uri.TryCreate(stored.Hub, UriKind.Absolute, out var hub) || hub.Scheme != Uri.UriSchemeHttps
            || !NodeName.IsValid(node) || !NodeName.IsValidId(nodeId)
            || !(stored.NotBefore < stored.RenewAfter && stored.RenewAfter < stored.NotAfter)
            || stored.ReadTrust(authority) is not { } trust)
        {
            return null;
        }

        return new HubIdentity
        {
            Hub = hub,
            Node = node,
            NodeId = nodeId,
            Trust = trust,
            Times = new CertificateTimes(stored.NotBefore, stored.NotAfter, stored.RenewAfter),
            Authority = [.. authority],
            Certificate = [.. certificate],
            Key = [.. key],
            Fingerprint = fingerprint,
        };
    }

    private HubTrust? ReadTrust(byte[] authority) => Trust switch
    {
        "pinned" => new HubTrust.Pinned([.. authority]),
        "given" when ServerAuthorities is { Count: > 0 } given && given.All(one => one is not null) => new HubTrust.Given([.. given.Select(one => ImmutableArray.Create(one!))]),
        "system" => new HubTrust.OfTheSystem(),
        _ => null,
    };
}

// Source-generated: reflection would not survive publishing as native code.
[JsonSourceGenerationOptions(GenerationMode = JsonSourceGenerationMode.Metadata, PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull, WriteIndented = true)]
[JsonSerializable(typeof(StoredIdentity))]
internal sealed partial class IdentityJson : JsonSerializerContext;
