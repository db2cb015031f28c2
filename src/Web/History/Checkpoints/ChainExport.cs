namespace FailoverHub.Web.History.Checkpoints;

/// <summary>Writes the whole audit with its checkpoints as a <see cref="ChainFile"/>, in constant memory.</summary>
internal sealed class ChainExport(StoredChain chain, AuditCheckpoints checkpoints, AuditKey key, AuditMemory memory, TimeProvider time)
{
    /// <summary>Signs the head first, so that the end of the file is as good as the rest of it; a broken chain is exported as it is.</summary>
    public async Task<AuditVerification> WriteAsync(Stream output, CancellationToken cancellationToken)
    {
        await checkpoints.MakeAsync(cancellationToken);
        await output.WriteAsync(ChainFile.Header(time.GetUtcNow(), key), cancellationToken);
        var verifier = memory.Verifier();
        await foreach (var item in chain.ReadAsync(cancellationToken))
        {
            item.Switch(verifier.Add, verifier.Add);
            await output.WriteAsync(item.Entry is { } entry ? ChainFile.Of(entry) : ChainFile.Of(item.Checkpoint!), cancellationToken);
        }

        var written = verifier.Finish();
        await output.WriteAsync(ChainFile.End(written), cancellationToken);
        return written;
    }
}
