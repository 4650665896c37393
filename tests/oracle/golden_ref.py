# SPDX-License-Identifier: Apache-2.0
# Own reference model of the crossbar core spec (section 4 of the CIM report). Not derived from any peer's code.
import numpy as np, math, csv, sys
OUT='./'
def core(W,x,wb=4,cb=1,enc='diff',adc=5,mux=8,cols=128,rpar=16,sel='groups',t_wl=1,t_rd=2,t_adc=1,t_sa=1):
    K,N=W.shape; R=2**cb-1; L=2**adc-1; delta=max(1.0,rpar*R/L)
    if enc=='diff': ns=math.ceil((wb-1)/cb); srcs=((np.where(W>0,W,0),1),(np.where(W<0,-W,0),-1))
    else: ns=math.ceil(wb/cb); srcs=((W+2**(wb-1),1),)
    phys=len(srcs)*ns*N
    act=np.flatnonzero(x)
    if sel=='packed': groups=[act[i:i+rpar] for i in range(0,len(act),rpar)]
    else:
        groups=[np.array([r for r in range(g,min(g+rpar,K)) if x[r]]) for g in range(0,K,rpar)]
        if sel=='groups': groups=[g for g in groups if len(g)]
    acc=np.zeros(N); conv=0
    for g in groups:
        g=g.astype(int)
        for S,sg in srcs:
            for s in range(ns):
                y=((S[g].astype(int)>>(cb*s))&R).sum(0) if len(g) else np.zeros(N)
                code=np.minimum(np.floor(y/delta+0.5),L)
                acc+=sg*code*delta*2**(cb*s); conv+=N
        if enc!='diff': acc-=len(g)*2**(wb-1)
    nadc=cols//mux; blocks=math.ceil(phys/cols); used=min(phys,cols); S=math.ceil(used/nadc)
    ii=max(t_wl+t_rd,S*t_adc); G=len(groups)
    cyc=(G-1)*ii+t_wl+t_rd+S*t_adc+t_sa if G else 0
    return acc,dict(groups=G,blocks=blocks,S=S,II=ii,cycles=cyc,conversions=conv,wl_pulses=int(x.sum())*blocks)
if __name__ == "__main__":  # writes tests/golden/cim
    rng=np.random.default_rng(20240607)
    W=rng.integers(-7,8,(128,16)); np.savetxt(OUT+'golden_W_128x16_int4.csv',W,'%d',delimiter=',')
    dens=(.02,.05,.1,.2,.5); X=np.array([(rng.random(128)<d).astype(int) for d in dens]); np.savetxt(OUT+'golden_x_5x128.csv',X,'%d',delimiter=',')
    rows=[]
    for i,d in enumerate(dens):
        for sel in ('all_groups','groups','packed'):
            for rpar,adc,cb,enc in ((16,5,1,'diff'),(31,5,1,'diff'),(32,5,1,'diff'),(128,5,1,'diff'),(16,3,1,'diff'),(16,4,1,'offset'),(10,5,2,'diff')):
                a,m=core(W,X[i],rpar=rpar,adc=adc,cb=cb,enc=enc,sel=sel); e=a-X[i]@W
                rows.append([i,d,int(X[i].sum()),sel,rpar,adc,cb,enc,m['blocks'],m['groups'],m['S'],m['II'],m['cycles'],m['conversions'],m['wl_pulses'],f"{np.sqrt((e**2).mean()):.4f}",f"{np.abs(e).max():.4f}",'|'.join(f"{v:.6g}" for v in a)])
    with open(OUT+'golden_crossbar.csv','w') as f:
        w=csv.writer(f); w.writerow("x_row,target_density,active_rows,row_select,rows_parallel,adc_bits,cell_bits,encoding,col_blocks,groups,S_mux_steps,II_cycles,cycles,adc_conversions,wl_pulses,rms_err,max_err,output_16".split(',')); w.writerows(rows)
