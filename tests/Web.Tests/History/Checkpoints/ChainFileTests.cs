using System.Text;
using CsCheck;
using FailoverHub.Web.Data;
using FailoverHub.Web.History;
using FailoverHub.Web.History.Checkpoints;
using FailoverHub.Web.Tests.Agents;

namespace FailoverHub.Web.Tests.History.Checkpoints;

/// <summary>Whoever changes an export, or the database before it was exported, is found out.</summary>
public sealed class ChainFileTests : IDisposable
{
    private static readonly string[] Ways = ["change", "remove", "insert", "swap", "repeat", "cut", "rehash", "rechain", "rechain-cut"];
    private readonly TemporaryFolder _folder = new();
    private readonly AuditKey _key;

    public ChainFileTests() => _key = AuditKey.LoadOrCreate(_folder.Path);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        _key.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public async Task Export_Untouched_IsIntactUpToItsHead()
    {
        List<AuditEntity> entries = Chains.Entries(5);

        AuditVerification result = await CheckAsync(Chains.File(_key, entries, [Chains.Sign(_key, entries[2]), Chains.Sign(_key, entries[4])]));

        Assert.Equal((true, 5L, 2L, entries[4].Hash), (result.Intact, result.Entries, result.Checkpoints, result.HeadHash));
        Assert.Equal(5, result.LastCheckpoint!.EntryId);
        Assert.Equal([_key.Id], result.KeyIds);
    }

    /// <summary>Every kind of tampering at a random place; entries alone, without the key, and with the chain made anew behind it.</summary>
    [Fact]
    public void Chain_ChangedInAnyWay_IsNeverIntact()
    {
        var change = Gen.Select(Gen.Int[2, 30], Gen.Int[0, 1000], Gen.Int[0, 1000], Gen.Int[0, Ways.Length - 1]);
        change.Sample(
            c =>
            {
                var (count, first, second, way) = c;
                string how = Ways[way];
                List<AuditEntity> entries = Chains.Entries(count);
                List<AuditCheckpoint> signed = [Chains.Sign(_key, entries[^1]), .. count > 4 ? [Chains.Sign(_key, entries[count / 2])] : Array.Empty<AuditCheckpoint>()];
                List<AuditEntity> tampered = Tamper(entries, how, first % count, second % count);

                var verifier = new AuditVerifier();
                signed.ForEach(verifier.Expect);
                tampered.ForEach(verifier.Add);
                AuditVerification result = verifier.Finish();

                Assert.False(result.Intact, how);
                Assert.NotEmpty(result.Problems);
                Assert.NotNull(result.FirstBrokenId);
            },
            iter: 300,
            threads: 1);
    }

    [Theory]
    [InlineData(3, "Entry 4 does not follow: entry 3 is missing before it.")]
    [InlineData(1, "Entry 2 does not follow: entry 1 is missing before it.")]
    public async Task EntryTakenOut_IsTheMissingOne(int which, string said)
    {
        List<AuditEntity> entries = Chains.Entries(6);
        entries.RemoveAt(which - 1);

        Assert.Equal([said], Said(await CheckAsync(Chains.File(_key, entries, []))));
    }

    [Fact]
    public async Task EntryChanged_IsThatOneAndNoOther()
    {
        List<AuditEntity> entries = Chains.Entries(6);
        entries[2] = Chains.With(entries[2], "another reason");

        Assert.Equal(["Entry 3 was changed after it was written: its fields do not give its hash."], Said(await CheckAsync(Chains.File(_key, entries, []))));
    }

    [Fact]
    public async Task TwoEntriesExchanged_AreFoundWhereTheyStand()
    {
        List<AuditEntity> entries = Chains.Entries(6);
        (entries[2], entries[3]) = (entries[3], entries[2]);

        AuditVerification result = await CheckAsync(Chains.File(_key, entries, []));

        Assert.Equal(4, result.FirstBrokenId);
        Assert.Contains("Entry 3 stands behind entry 4: entries were put in or put into another order.", Said(result));
    }

    [Fact]
    public async Task EndCutOff_IsShownByAnExportThatWasMadeBefore_AndByNothingElse()
    {
        List<AuditEntity> entries = Chains.Entries(8);
        List<AuditCheckpoint> signed = [Chains.Sign(_key, entries[2]), Chains.Sign(_key, entries[7])];
        MemoryStream before = Chains.File(_key, entries, signed);
        MemoryStream after = Chains.File(_key, entries[..5], signed[..1]);

        Assert.True((await CheckAsync(after)).Intact);
        after.Position = 0;
        Assert.Equal(
            ["Entry 6 is not there: entries 6 to 8 are missing, though the earlier export has them signed. The end of the chain was cut off."],
            Said(await CheckAsync(after, earlier: before)));
    }

    [Fact]
    public async Task ChainWrittenAnewAndSignedAgain_IsShownByAnExportThatWasMadeBefore()
    {
        List<AuditEntity> entries = Chains.Entries(6);
        MemoryStream before = Chains.File(_key, entries, [Chains.Sign(_key, entries[5])]);
        entries[1] = Chains.With(entries[1], "another reason");
        List<AuditEntity> anew = Chains.Rechained(entries);
        MemoryStream after = Chains.File(_key, anew, [Chains.Sign(_key, anew[5])]);

        Assert.Equal(["Entry 6 is not the entry that a checkpoint of the earlier export signed: the chain was written anew."], Said(await CheckAsync(after, earlier: before)));
    }

    [Fact]
    public async Task ChainWrittenAnewWithoutTheKey_IsNotWhatWasSigned()
    {
        List<AuditEntity> entries = Chains.Entries(6);
        AuditCheckpoint signed = Chains.Sign(_key, entries[3]);
        entries[1] = Chains.With(entries[1], "another reason");

        Assert.Contains("Entry 4 is not the entry that the checkpoint of 2026-05-04T12:00:04Z signed: the chain was written anew.", Said(await CheckAsync(Chains.File(_key, Chains.Rechained(entries), [signed]))));
    }

    [Fact]
    public async Task CheckpointChanged_HasABadSignature()
    {
        List<AuditEntity> entries = Chains.Entries(3);
        AuditCheckpoint forged = Chains.Sign(_key, entries[2]) with { At = Chains.At.AddYears(-1) };

        Assert.Equal(["Entry 3 has a bad signature in its checkpoint: its checkpoint was changed after it was signed."], Said(await CheckAsync(Chains.File(_key, entries, [forged]))));
    }

    [Fact]
    public async Task SignedByAKeyThatIsNotTheGivenOne_IsRefused()
    {
        using var elsewhere = new TemporaryFolder();
        using AuditKey other = AuditKey.LoadOrCreate(elsewhere.Path);
        List<AuditEntity> entries = Chains.Entries(3);
        MemoryStream file = Chains.File(other, entries, [Chains.Sign(other, entries[2])]);

        Assert.True((await CheckAsync(file)).Intact);
        file.Position = 0;
        Assert.Equal([$"Entry 3 is signed in its checkpoint by another key, {other.Id}."], Said(await CheckAsync(file, trusted: [_key.Id])));
    }

    [Fact]
    public async Task ChainWrittenAnewWithNoCheckpoint_IsNotIntactForAGivenKey()
    {
        List<AuditEntity> entries = Chains.Entries(3);
        entries[1] = Chains.With(entries[1], "another reason");
        MemoryStream forged = Chains.File(_key, Chains.Rechained(entries), []);

        Assert.True((await CheckAsync(forged)).Intact);
        forged.Position = 0;
        AuditVerification result = await CheckAsync(forged, trusted: [_key.Id]);

        Assert.False(result.Intact);
        Assert.StartsWith("Entry 3 is the last one, and nothing up to it is signed by a key that was given", Assert.Single(Said(result)), StringComparison.Ordinal);
    }

    /// <summary>An earlier export that shows nothing is not taken for one that agrees.</summary>
    [Theory]
    [InlineData(false, "has no checkpoint in it")]
    [InlineData(true, "Line 5 of an earlier file is no line of an export")]
    public async Task EarlierExportThatShowsNothing_IsNotChecked(bool damaged, string said)
    {
        List<AuditEntity> entries = Chains.Entries(3);
        MemoryStream file = Chains.File(_key, entries, [Chains.Sign(_key, entries[2])]);
        string[] lines = Lines(Chains.File(_key, entries, damaged ? [Chains.Sign(_key, entries[2])] : []));
        lines[4] = damaged ? lines[4][..^3] : lines[4];

        ChainFileResult result = await ChainFileCheck.CheckAsync(file, null, [FileOf(lines)], Stop);

        Assert.Null(result.Result);
        Assert.Contains(said, result.NotAnExport, StringComparison.Ordinal);
    }

    [Fact]
    public async Task FileCutShort_IsNotWhole()
    {
        string[] lines = Lines(Chains.File(_key, Chains.Entries(4), []));

        Assert.Equal(["Entry 3 is the last one in the file, and the end of the export is missing: the file was cut short."], Said(await CheckAsync(FileOf(lines[..^2]))));
    }

    [Fact]
    public async Task LineThatIsNoneOfOurs_IsTold()
    {
        string[] lines = Lines(Chains.File(_key, Chains.Entries(3), []));
        lines[2] = lines[2].Replace("\"type\":\"entry\"", "\"type\":\"entry\",\"note\":\"x\"", StringComparison.Ordinal);

        Assert.Contains("Entry 1 is followed by line 3, which is no line of an export: it was damaged or put in.", Said(await CheckAsync(FileOf(lines))));
    }

    [Theory]
    [InlineData("")]
    [InlineData("{}\n")]
    [InlineData("not JSON\n")]
    [InlineData("{\"type\":\"header\",\"format\":\"failoverhub-audit\",\"version\":2,\"exportedAtMs\":1,\"keyId\":\"\",\"publicKey\":\"\"}\n")]
    public async Task FileOfSomethingElse_IsNoExport(string text)
    {
        ChainFileResult result = await ChainFileCheck.CheckAsync(new MemoryStream(Encoding.UTF8.GetBytes(text)), null, [], Stop);

        Assert.Null(result.Result);
        Assert.NotNull(result.NotAnExport);
    }

    /// <summary>No bytes whatever make the check fail in another way than by saying so.</summary>
    [Fact]
    public void AnyBytesInAnExport_AreAnAnswer()
    {
        byte[] good = Chains.File(_key, Chains.Entries(3), []).ToArray();
        Gen.Select(Gen.Int[0, good.Length - 1], Gen.Byte.Array[1, 8]).Sample(
            (at, noise) =>
            {
                byte[] bytes = [.. good];
                noise.AsSpan(0, Math.Min(noise.Length, bytes.Length - at)).CopyTo(bytes.AsSpan(at));
                ChainFileResult result = ChainFileCheck.CheckAsync(new MemoryStream(bytes), null, [], Stop).GetAwaiter().GetResult();
                Assert.True(result.Result is null || !result.Result.Intact || bytes.AsSpan().SequenceEqual(good) || HarmlessHeader(bytes, good));
            },
            iter: 500,
            threads: 1);
    }

    // What the header says of the time and the key is for people; checkpoints bring their own key.
    private static bool HarmlessHeader(byte[] bytes, byte[] good) =>
        bytes.AsSpan(bytes.AsSpan().IndexOf((byte)'\n')).SequenceEqual(good.AsSpan(good.AsSpan().IndexOf((byte)'\n')));

    private static List<AuditEntity> Tamper(List<AuditEntity> entries, string how, int first, int second)
    {
        List<AuditEntity> tampered = [.. entries];
        switch (how)
        {
            case "change":
                tampered[first] = Chains.With(tampered[first], "another reason");
                break;
            case "remove":
                tampered.RemoveAt(first);
                break;
            case "insert":
                tampered.Insert(first, Chains.With(tampered[second], "put in"));
                break;
            case "swap":
                second = first == second ? (first + 1) % tampered.Count : second;
                (tampered[first], tampered[second]) = (tampered[second], tampered[first]);
                break;
            case "repeat":
                tampered.Insert(first, tampered[first]);
                break;
            case "cut":
                tampered.RemoveRange(first, tampered.Count - first);
                break;
            case "rehash":
                tampered[first] = Chains.With(tampered[first], "another reason");
                tampered[first].Hash = AuditChain.HashOf(tampered[first]);
                break;
            case "rechain":
                tampered[first] = Chains.With(tampered[first], "another reason");
                return Chains.Rechained(tampered);
            default:
                tampered.RemoveAt(first);
                return Chains.Rechained(tampered);
        }

        return tampered;
    }

    private static IEnumerable<string> Said(AuditVerification result) => result.Problems.Select(p => p.Text);

    private static string[] Lines(MemoryStream file) => Encoding.UTF8.GetString(file.ToArray()).TrimEnd('\n').Split('\n');

    private static MemoryStream FileOf(string[] lines) => new(Encoding.UTF8.GetBytes(string.Join('\n', lines) + "\n"));

    private static async Task<AuditVerification> CheckAsync(Stream file, string[]? trusted = null, Stream? earlier = null)
    {
        ChainFileResult result = await ChainFileCheck.CheckAsync(file, trusted?.ToHashSet(), earlier is null ? [] : [earlier], Stop);
        return result.Result ?? throw new InvalidOperationException(result.NotAnExport);
    }
}
